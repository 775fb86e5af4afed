import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { arch, homedir, hostname, platform } from "node:os";
import { join } from "node:path";
import type { CommandIo } from "#base/cli";
import { durationMs } from "#base/config";
import { badParameter, fileError, VERSION, type Clock, type Logger } from "#base/kernel";
import { JoinClient } from "#domain/join";
import { Enrolment, idTokenSource, type BoundKeyFields } from "#services/enrolment";
import {
  openBotStorage,
  type BotConfiguration,
  type BotStorage,
  type HostFacts,
  type JoinParameters,
} from "#services/tbot";

/** The storage that a bot has, also where nobody has named one. */
export interface Placed {
  readonly storage: NonNullable<BotConfiguration["storage"]>;
}

export interface Enrolled extends AsyncDisposable {
  readonly enrolment: Enrolment;
  readonly storage: BotStorage;
}

/** The bot's standing with its cluster, from what its storage holds; nothing is sent yet. */
export async function enrol(options: {
  configuration: BotConfiguration & Placed;
  parameters: JoinParameters;
  clock: Clock;
  log: Logger;
  io: CommandIo;
}): Promise<Enrolled> {
  const { configuration, parameters, clock, log, io } = options;
  const secret = await registrationSecret(parameters, io);
  const boundKey = boundKeyOf(options);
  const idToken = idTokenSource({
    method: parameters.method,
    place: parameters.idTokenPlace,
    env: io.env,
    clock,
  });
  await using owned = new AsyncDisposableStack();
  const { storage: place } = configuration;
  const storage = owned.use(
    await openBotStorage({ storage: place, boundKey, env: io.env, clock, log }),
  );
  const client = new JoinClient({
    settings: {
      ...parameters,
      role: "Bot",
      host: hostFacts(),
      ttlMs: durationMs(configuration.identity_ttl ?? configuration.credential_ttl),
      ...(boundKey.key_suite === undefined ? {} : { keySuite: boundKey.key_suite }),
      ...(secret === undefined ? {} : { registrationSecret: secret }),
      ...(idToken === undefined ? {} : { idToken }),
    },
    storage: storage.join,
    keys: storage.keys,
    ...(storage.wish === undefined ? {} : { wish: storage.wish }),
    clock,
    logger: log,
  });
  const { address, caPins } = parameters;
  const enrolment = owned.use(
    await Enrolment.open({ address, caPins, join: client, storage: storage.join, clock }),
  );
  const held = owned.move();
  return { enrolment, storage, [Symbol.asyncDispose]: () => held.disposeAsync() };
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

/** A join URI may name the file of a static key where others have their registration secret. */
function boundKeyOf({
  configuration: { onboarding },
  parameters: { staticKeyPath: path },
}: {
  configuration: BotConfiguration;
  parameters: JoinParameters;
}): BoundKeyFields {
  const fields = onboarding.bound_keypair;
  if (path === undefined || !existsSync(path) || fields.pkcs11) return fields;
  return { static_key_path: path, ...fields };
}

export function defaultStorage({ env }: CommandIo): NonNullable<BotConfiguration["storage"]> {
  const state = env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state");
  const path = process.getuid?.() === 0 ? "/var/lib/tenon/bot" : join(state, "tenon/bot");
  return { type: "directory", path, symlinks: "try-secure", acls: "try", readers: [] };
}
