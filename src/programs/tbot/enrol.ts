import { readFile } from "node:fs/promises";
import { arch, homedir, hostname, platform } from "node:os";
import { join } from "node:path";
import type { CommandIo } from "#base/cli";
import { durationMs } from "#base/config";
import { badParameter, fileError, VERSION, type Clock, type Logger } from "#base/kernel";
import { JoinClient } from "#domain/join";
import { Enrolment, idTokenSource } from "#services/enrolment";
import {
  openBotStorage,
  type BotConfiguration,
  type HostFacts,
  type JoinParameters,
} from "#services/tbot";

/** The bot's standing with its cluster, from what its storage holds; nothing is sent yet. */
export async function enrol(options: {
  configuration: BotConfiguration;
  parameters: JoinParameters;
  clock: Clock;
  log: Logger;
  io: CommandIo;
}): Promise<Disposable & { readonly enrolment: Enrolment }> {
  const { configuration, parameters, clock, log, io } = options;
  const secret = await registrationSecret(parameters, io);
  const idToken = idTokenSource({
    method: parameters.method,
    place: parameters.idTokenPlace,
    env: io.env,
    clock,
  });
  using owned = new DisposableStack();
  const storage = owned.use(await openBotStorage(configuration.storage ?? defaultStorage(io), log));
  const client = new JoinClient({
    settings: {
      ...parameters,
      role: "Bot",
      host: hostFacts(),
      ttlMs: durationMs(configuration.credential_ttl),
      ...(secret === undefined ? {} : { registrationSecret: secret }),
      ...(idToken === undefined ? {} : { idToken }),
    },
    storage: storage.join,
    keys: storage.keys,
    clock,
    logger: log,
  });
  const { address, caPins } = parameters;
  const enrolment = owned.use(
    await Enrolment.open({ address, caPins, join: client, storage: storage.join, clock }),
  );
  const held = owned.move();
  return { enrolment, [Symbol.dispose]: () => held.dispose() };
}

export function hostFacts(): HostFacts {
  return { version: VERSION, hostname: hostname(), os: platform(), architecture: arch() };
}

async function registrationSecret(
  { registrationSecret: given, registrationSecretPath: path }: JoinParameters,
  { env }: CommandIo,
): Promise<string | undefined> {
  if (path === undefined) return given ?? env["TBOT_REGISTRATION_SECRET"];
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError(`cannot read the registration secret from "${path}"`, error);
  });
  if (text.trim() !== "") return text.trim();
  throw badParameter(`the file "${path}", which should hold the registration secret, is empty`);
}

function defaultStorage({ env }: CommandIo): NonNullable<BotConfiguration["storage"]> {
  const state = env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state");
  const path = process.getuid?.() === 0 ? "/var/lib/tenon/bot" : join(state, "tenon/bot");
  return { type: "directory", path, symlinks: "try-secure", acls: "try", readers: [] };
}
