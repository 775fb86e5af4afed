import type { ChildProcess } from "node:child_process";
import { durationMs } from "#base/config";
import {
  canceled,
  deadline,
  messageOf,
  sleep,
  timedOut,
  unavailable,
  type Clock,
} from "#base/kernel";
import type { RemoteStatus } from "#services/bot-client";
import { isReady, statusLine } from "../status.ts";
import { endOf } from "./log.ts";

export interface Waiting {
  readonly bot: ChildProcess;
  readonly log: string;
  /** Asks the bot; rejects while it does not answer yet. */
  readonly ask: (signal: AbortSignal) => Promise<readonly RemoteStatus[]>;
  /** Told what is wrong on the way. */
  readonly say: (line: string) => void;
  readonly timeout: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const LOOK_AGAIN_MS = 50;

/** Returns when every service of the bot is healthy; throws, with the end of its log, when that will not be. */
export async function waitUntilReady(waiting: Waiting): Promise<void> {
  const { clock, timeout, signal } = waiting;
  using limit = deadline(clock, durationMs(timeout), signal);
  const news = new News(waiting.say);
  while (!limit.signal.aborted) {
    await checkAlive(waiting);
    const statuses = await waiting.ask(limit.signal).catch((error: unknown) => {
      if (!limit.signal.aborted) news.unanswered(error);
      return [];
    });
    if (statuses.length > 0 && statuses.every(isReady)) return;
    news.tell(statuses);
    const failed = statuses.find(({ status }) => status === "failed");
    if (failed) throw unavailable(await withLog(statusLine(failed), waiting));
    await sleep(clock, LOOK_AGAIN_MS, limit.signal).catch(() => {});
  }
  if (signal.aborted) throw canceled("canceled while the bot was starting");
  const why = `the bot is not ready after ${timeout}: ${news.last.join("; ")}`;
  throw timedOut(await withLog(why, waiting));
}

async function checkAlive(waiting: Waiting): Promise<void> {
  const { exitCode, signalCode } = waiting.bot;
  if (exitCode === null && signalCode === null) return;
  const how = exitCode === null ? `by ${signalCode}` : `with code ${exitCode}`;
  throw unavailable(await withLog(`the bot ended ${how}`, waiting));
}

async function withLog(what: string, { log }: Waiting): Promise<string> {
  const end = await endOf(log).catch((error: unknown) => messageOf(error));
  return end === "" ? `${what}; its log is empty` : `${what}\nThe end of its log:\n${end}`;
}

/** What is not ready and why; what is wrong is told at once, each thing once. */
class News {
  last: readonly string[] = ["it does not answer"];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  tell(statuses: readonly RemoteStatus[]): void {
    const waiting = statuses.filter((status) => !isReady(status));
    const wrong = waiting.filter(({ status }) => status !== "initializing").map(statusLine);
    for (const line of wrong.filter((line) => !this.last.includes(line))) this.#say(line);
    if (statuses.length > 0) this.last = waiting.map(statusLine);
  }

  unanswered(error: unknown): void {
    this.last = [messageOf(error)];
  }
}
