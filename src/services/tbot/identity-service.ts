import { durationMs } from "#base/config";
import {
  Bell,
  messageOf,
  runRepeatedly,
  type Backoff,
  type Clock,
  type Logger,
} from "#base/kernel";
import type { LockSet } from "#domain/access";
import type { BotConfiguration } from "./configuration.ts";
import type { BotIdentity } from "./identity.ts";
import { watchLocks } from "./lock-watch.ts";
import type { BotMetrics } from "./metrics.ts";
import type { Report, Service } from "./supervisor.ts";

const RETRY: Backoff = { firstMs: 1_000, maxMs: 60_000 };

export interface IdentityServiceOptions {
  readonly configuration: BotConfiguration;
  readonly identity: BotIdentity;
  readonly locks: LockSet;
  readonly metrics: BotMetrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** The bot's own identity: joined, refreshed on schedule, watched for locks, and in the readiness. */
export class IdentityService implements Service {
  readonly name = "bot-identity";
  readonly type = "internal";
  readonly #options: IdentityServiceOptions;
  readonly #wanted = new Bell();
  /** Set by `renewNow`, cleared by the renewal that answers it. */
  #outputsToo = false;
  /** Set while a lock keeps the cluster from talking to this bot. */
  #refused = false;

  constructor(options: IdentityServiceOptions) {
    this.#options = options;
  }

  /** Renews the identity, and then every output. */
  renewNow(): void {
    this.#outputsToo = true;
    this.#wanted.ring();
  }

  async run({ signal, report }: { signal: AbortSignal; report: Report }): Promise<void> {
    const { configuration, log } = this.#options;
    const watching = watchLocks({
      ...this.#options,
      signal,
      onRefused: (sentence) => {
        if (!this.#refused) log.error("the cluster refuses this bot", { reason: sentence });
        this.#refused = true;
        report("unhealthy", sentence);
      },
      onHeard: () => {
        if (this.#refused) this.renewNow();
        this.#refused = false;
      },
    });
    await runRepeatedly({
      ...this.#options,
      signal,
      bell: this.#wanted,
      retry: RETRY,
      intervalMs: durationMs(configuration.renewal_interval),
      run: () => this.renew(signal),
      onSuccess: () => report("healthy"),
      onFailure: (error, delayMs) => {
        log.warn("cannot renew the identity, will try again", {
          error,
          retryMs: Math.round(delayMs),
        });
        report("unhealthy", messageOf(error));
      },
    });
    await watching;
  }

  async renew(signal: AbortSignal): Promise<void> {
    const { identity, metrics, log } = this.#options;
    const outcome = await identity.renew(signal);
    metrics.identityExpires(outcome.identity.expires);
    log.info(outcome.refreshed ? "refreshed its identity" : "joined the cluster", {
      cluster: outcome.identity.trust.clusterName,
      expires: new Date(outcome.identity.expires).toISOString(),
    });
    for (const notice of outcome.notices) log.warn(notice);
    if (this.#outputsToo) identity.askRenewal();
    this.#outputsToo = false;
  }
}
