import { codeOf, messageOf, runRepeatedly, type Clock, type Logger } from "#base/kernel";
import type { LockSet } from "#domain/access";
import { parseDocument, type Lock } from "#domain/resources";
import type { BotIdentity } from "./identity.ts";
import type { Report } from "./supervisor.ts";

/** The stream ends with its connection, for example when the identity is renewed; this soon it is back. */
const RESUBSCRIBE_MS = 1_000;
/** A restart of the proxy is shorter, and nothing to wake anybody for. */
const SILENCE_MS = 10_000;

interface LockWatch {
  readonly identity: BotIdentity;
  readonly locks: LockSet;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** The cluster talks to this bot after it had refused it: a lock was removed. */
  readonly onPardon: () => void;
}

/**
 * Keeps the set of locks in step with the cluster until the signal aborts, so that a lock cuts at
 * once. It is also how a bot notices that the cluster is gone, or refuses it, between two renewals.
 */
export async function watchLocks(options: LockWatch): Promise<void> {
  const { identity, locks, signal } = options;
  const contact = new Contact(options);
  await runRepeatedly({
    ...options,
    intervalMs: RESUBSCRIBE_MS,
    retry: { firstMs: RESUBSCRIBE_MS, maxMs: RESUBSCRIBE_MS },
    run: async () => {
      await identity.ready(signal);
      for await (const inForce of identity.client.auth.watchLocks({}, { signal })) {
        locks.replace(inForce.locks.map((json) => parseDocument(json) as Lock));
        contact.heard();
      }
    },
    onFailure: (error) => contact.lost(error),
  });
}

/** Whether the cluster talks to this bot: good, lost a moment ago, lost, or refused. */
class Contact {
  readonly #options: LockWatch;
  #lostAt: number | undefined;
  #refused = false;

  constructor(options: LockWatch) {
    this.#options = options;
  }

  heard(): void {
    const { identity, report, onPardon } = this.#options;
    if (this.#refused) onPardon();
    else if (this.#lostAt !== undefined) identity.reached();
    this.#lostAt = undefined;
    this.#refused = false;
    report("healthy");
  }

  lost(error: unknown): void {
    const { clock, log } = this.#options;
    this.#lostAt ??= clock.monotonic();
    if (codeOf(error) === "access_denied") this.#refuse(error);
    else if (clock.monotonic() - this.#lostAt > SILENCE_MS) this.#miss(error);
    log.debug("the stream of locks ended, subscribing again", { error });
  }

  #refuse(error: unknown): void {
    const { log, report } = this.#options;
    if (!this.#refused) log.error("the cluster refuses this bot", { error });
    this.#refused = true;
    report("unhealthy", messageOf(error));
  }

  #miss(error: unknown): void {
    this.#options.report("unhealthy", `nothing heard from the cluster: ${messageOf(error)}`);
  }
}
