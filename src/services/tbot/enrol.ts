import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { arch, hostname, platform } from "node:os";
import { durationMs } from "#base/config";
import { badParameter, fileError, VERSION, type Clock, type Logger } from "#base/kernel";
import { JoinClient } from "#domain/join";
import { Enrolment, idTokenSource, type BoundKeyFields } from "#services/enrolment";
import type { JoinParameters } from "./check.ts";
import type { BotConfiguration } from "./configuration.ts";
import type { HostFacts } from "./host-facts.ts";
import { openBotStorage, type BotStorage } from "./storage.ts";

type Environment = Readonly<Record<string, string | undefined>>;

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
  env: Environment;
}): Promise<Enrolled> {
  const { configuration, parameters, clock, log, env } = options;
  const secret = await registrationSecret(parameters, env);
  const boundKey = boundKeyOf(options);
  const idToken = idTokenSource({
    method: parameters.method,
    place: parameters.idTokenPlace,
    env,
    clock,
  });
  await using owned = new AsyncDisposableStack();
  const { storage: place } = configuration;
  const storage = owned.use(await openBotStorage({ storage: place, boundKey, env, clock, log }));
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
  env: Environment,
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
