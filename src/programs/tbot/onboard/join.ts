import type { CommandIo } from "#base/cli";
import { parseValue } from "#base/config";
import { canceled, codeOf, messageOf, unavailable } from "#base/kernel";
import { parseJoinUri } from "#domain/join";
import { botConfiguration, type BotConfiguration } from "#services/tbot";
import type { Ask } from "./ask.ts";
import { Trial } from "./trial.ts";

export interface Joining {
  readonly uri: string | undefined;
  readonly storage: NonNullable<BotConfiguration["storage"]>;
  readonly ask: Ask;
  readonly io: CommandIo;
}

/** A bot that has joined, after as many tries as a person has patience for. */
export async function join({ uri: given, storage, ask, io }: Joining): Promise<Trial> {
  for (let uri = given; ; uri = undefined) {
    uri ??= await askUri(ask);
    const trial = await tryToJoin({ uri, storage, ask, io });
    if (trial) return trial;
    if (!(await ask.yes({ message: "Try another join URI?" }))) throw canceled("stopped");
  }
}

async function askUri(ask: Ask): Promise<string> {
  return await ask.secret({
    message: "The join URI, as `tctl bots add NAME --roles=…` prints it (it is not shown)",
    check: problemOf,
  });
}

function problemOf(uri: string): string | undefined {
  try {
    parseJoinUri(uri);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function tryToJoin({
  uri,
  storage,
  ask,
  io,
}: Joining & { uri: string }): Promise<Trial | undefined> {
  ask.say("step", "Joining …");
  try {
    await using owned = new AsyncDisposableStack();
    const value = { join_uri: uri, storage };
    const configuration = parseValue({ value, what: "the join URI", schema: botConfiguration });
    const trial = owned.use(await Trial.start({ ...configuration, storage }, io));
    const { state, reason = "" } = await trial.joined();
    if (state !== "healthy") throw unavailable(reason);
    owned.move();
    return trial;
  } catch (error) {
    if (codeOf(error) === "canceled") throw error;
    ask.say("error", `Cannot join: ${messageOf(error)}`);
    return undefined;
  }
}
