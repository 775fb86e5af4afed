import type { Readable, Writable } from "node:stream";
import type { CommandIo } from "#base/cli";
import { canceled, codeOf } from "#base/kernel";
import type { BotConfiguration } from "#services/tbot";
import { Ask } from "./ask.ts";
import { offerUnit, writeConfiguration } from "./finish.ts";
import { join } from "./join.ts";
import { chooseServices } from "./services.ts";

/** An identity in memory would be gone at the end. */
export type DirectoryStorage = Extract<
  NonNullable<BotConfiguration["storage"]>,
  { type: "directory" }
>;

export interface Onboarding {
  readonly uri: string | undefined;
  readonly storage: DirectoryStorage;
  /** Where to write the configuration, as a first suggestion. */
  readonly path: string;
  /** Where units are. */
  readonly systemdDirectory: string;
  readonly io: CommandIo;
  readonly terminal: { readonly stdin: Readable; readonly stdout: Writable };
}

/** How far it has come, for whoever stops on the way. */
interface Progress {
  joined: boolean;
  file?: string;
}

/** From a join URI to a configuration whose every service was seen to work. */
export async function onboard(onboarding: Onboarding): Promise<void> {
  const { terminal, io } = onboarding;
  const progress: Progress = { joined: false };
  const screen = { input: terminal.stdin, output: terminal.stdout, signal: io.signal };
  try {
    await walk(onboarding, { ask: new Ask(screen), progress });
  } catch (error) {
    if (codeOf(error) !== "canceled") throw error;
    throw canceled(stopped(progress, onboarding), { cause: error });
  }
}

async function walk(
  onboarding: Onboarding,
  { ask, progress }: { ask: Ask; progress: Progress },
): Promise<void> {
  ask.begin("A bot for this machine");
  const text = await tryOut(onboarding, { ask, progress });
  ask.show("tbot.yaml", text.trimEnd());
  progress.file = await writeConfiguration(text, { ask, path: onboarding.path });
  ask.say("success", `Wrote "${progress.file}".`);
  await offerUnit(progress.file, { ask, directory: onboarding.systemdDirectory });
  ask.end(`Done. tbot start -c ${progress.file}`);
}

/** The configuration of a bot that has run here; it has ended by then, and left its storage. */
async function tryOut(
  { uri, storage, io }: Onboarding,
  { ask, progress }: { ask: Ask; progress: Progress },
): Promise<string> {
  await using trial = await join({ uri, storage, ask, io });
  progress.joined = true;
  ask.say("success", `Joined. The machine's identity is in "${storage.path}".`);
  const namesOf = async (kind: string): Promise<readonly string[]> => await trial.namesOf(kind);
  await chooseServices({ ask, trial, namesOf, signal: io.signal });
  return trial.control.configuration();
}

function stopped({ joined, file }: Progress, { storage }: Onboarding): string {
  if (file !== undefined) return `stopped; "${file}" is written`;
  if (!joined) return "stopped; nothing was written";
  return `stopped; no configuration was written, but the machine has joined: "tbot onboard" with the same join URI (and --storage ${storage.path}) goes on`;
}
