import type { CommandIo } from "#base/cli";
import { sleep, systemClock } from "#base/kernel";
import type { BotApiClient, RemoteStatus } from "#services/bot-client";

/** Whoever waits longer than this wants to know for what. */
const TELL_EVERY_MS = 5_000;
/** As the bot names its own identity among its services. */
const BOT_IDENTITY = "bot-identity";

/** Does it, and meanwhile says what keeps it waiting, each thing once. */
export async function narrated<T>(
  api: BotApiClient,
  { stderr, signal }: Pick<CommandIo, "stderr" | "signal">,
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const either = AbortSignal.any([done.signal, signal]);
  const telling = tell(api, stderr, either).catch(() => {});
  try {
    return await work();
  } finally {
    done.abort();
    await telling;
  }
}

async function tell(
  api: BotApiClient,
  stderr: CommandIo["stderr"],
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  for (;;) {
    await sleep(systemClock, TELL_EVERY_MS, signal);
    for (const line of (await api.statuses("", { signal })).flatMap(lineOf)) {
      if (!told.has(line)) stderr.write(line);
      told.add(line);
    }
  }
}

/** Without its identity a bot starts nothing; what is unhealthy besides is no news here. */
function lineOf({ name, status, reason }: RemoteStatus): readonly string[] {
  const waitedFor = name === BOT_IDENTITY ? status !== "healthy" : status === "initializing";
  if (!waitedFor) return [];
  return [`Waiting: ${name} is ${status}${reason === undefined ? "" : `: ${reason}`}\n`];
}
