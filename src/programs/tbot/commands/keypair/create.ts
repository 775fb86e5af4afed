import { addFormat, printResult, UsageError, type CommandIo, type OutputFormat } from "#base/cli";
import {
  boundKeyFingerprint,
  boundKeyLine,
  boundKeySuites,
  encodeStaticKey,
  generateKeyPair,
  type BoundKeySuite,
} from "#base/crypto";
import { systemClock } from "#base/kernel";
import { createLogger } from "#base/observe";
import { makeBoundKey } from "#services/tbot";
import { Option, type Command } from "commander";
import { readArguments } from "../../arguments.ts";
import { defaultStorage } from "../../default-storage.ts";

interface Options {
  readonly static?: boolean;
  readonly storage?: string;
  readonly config?: string;
  readonly overwrite?: boolean;
  readonly keySuite?: BoundKeySuite;
  readonly format: OutputFormat;
}

export function defineKeypairCreate(command: Command, io: CommandIo): void {
  command.option("--storage <path>", "the bot's storage, as for `tbot start`");
  command.option("-c, --config <file>", "the bot's configuration: its storage, and its token");
  command.option("--static", "print a new private key for TBOT_BOUND_KEYPAIR_STATIC_KEY instead");
  command.option("--overwrite", "replace the key that is there; one that is bound is lost");
  command.addOption(new Option("--key-suite <suite>", "what a new key is").choices(boundKeySuites));
  addFormat(command).action(async (options: Options) => {
    if (options.static) await printStatic(options, io);
    else await create(options, io);
  });
}

/** Nothing is written: the key goes to a secret of a CI system, or wherever its owner keeps it. */
async function printStatic(options: Options, io: CommandIo): Promise<void> {
  for (const name of ["storage", "config", "overwrite"] as const)
    if (options[name] !== undefined)
      throw new UsageError(`--static prints a key and stores nothing; leave out --${name}`);
  const { privateKey, publicKey } = generateKeyPair(options.keySuite ?? "ed25519");
  const value = { ...described(boundKeyLine(publicKey)), static_key: encodeStaticKey(privateKey) };
  await printResult(io, {
    format: options.format,
    value,
    text: () => `Keep this secret, and give it to the machine:

TBOT_BOUND_KEYPAIR_STATIC_KEY=${value.static_key}

${advice(value.public_key)}`,
  });
}

async function create(options: Options, io: CommandIo): Promise<void> {
  const { configuration } = await readArguments({
    uri: undefined,
    options: { ...options },
    services: [],
    io,
  });
  const storage = configuration.storage ?? defaultStorage(io);
  if (storage.type === "memory")
    throw new UsageError("a key in memory would be gone at once; give --storage a directory");
  const log = createLogger({ level: "warn", format: "text", sink: io.stderr });
  const boundKey = configuration.onboarding.bound_keypair;
  const { publicKey, made } = await makeBoundKey({
    storage,
    boundKey,
    env: io.env,
    clock: systemClock,
    log,
    overwrite: options.overwrite ?? false,
  });
  const value = { ...described(boundKeyLine(publicKey)), created: made };
  const what = made ? "A new keypair is" : "The keypair was already";
  await printResult(io, {
    format: options.format,
    value,
    text: () => `${what} in ${placeOf(boundKey, storage.path)}.\n\n${advice(value.public_key)}`,
  });
}

function placeOf({ pkcs11 }: Parameters<typeof makeBoundKey>[0]["boundKey"], path: string): string {
  if (!pkcs11) return JSON.stringify(path);
  const { module, token_label: label, slot } = pkcs11;
  const which =
    label === undefined ? (slot === undefined ? "" : ` in slot ${slot}`) : ` "${label}"`;
  return `the token${which} of ${JSON.stringify(module)}`;
}

const described = (line: string) => ({ public_key: line, fingerprint: boundKeyFingerprint(line) });

const advice = (line: string): string => `Its public key:

${line}

Put that line into a file where tctl runs, and make a bot with it:

  tctl bots add robot --roles=access --public-key=robot.pub
`;
