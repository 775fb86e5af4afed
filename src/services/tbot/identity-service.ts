import { durationMs } from "#base/config";
import { Bell, messageOf, runRepeatedly, type Clock, type Logger } from "#base/kernel";
import type { LockSet } from "#domain/access";
import { Aspects } from "./aspects.ts";
import type { BotConfiguration } from "./configuration.ts";
import { fewTimes } from "./few-times.ts";
import type { BotIdentity } from "./identity.ts";
import { watchLocks } from "./lock-watch.ts";
import type { BotMetrics } from "./metrics.ts";
import { BOT_IDENTITY } from "./names.ts";
import { RETRY, renewAfter } from "./renewal.ts";
import type { Report, Service } from "./supervisor.ts";
import { watchTrust } from "./trust-watch.ts";

export interface IdentityServiceOptions {
  readonly configuration: BotConfiguration;
  readonly identity: BotIdentity;
  readonly locks: LockSet;
  readonly metrics: BotMetrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

interface Run {
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** The bot's own identity: joined, refreshed on schedule, watched for locks, and in the readiness. */
export class IdentityService implements Service {
  readonly name = BOT_IDENTITY;
  readonly type = "internal";
  readonly vital = true;
  readonly #options: IdentityServiceOptions;
  readonly #wanted = new Bell();
  /** Set by `renewNow`, cleared by the renewal that answers it. */
  #outputsToo = false;

  constructor(options: IdentityServiceOptions) {
    this.#options = options;
  }

  /** Renews the identity, and then every output. */
  renewNow(): void {
    this.#outputsToo = true;
    this.#wanted.ring();
  }

  /** For a bot that ends after its work. */
  async once({ signal, report }: Run): Promise<void> {
    await fewTimes({ ...this.#options, signal }, () => this.#renew(signal));
    report("healthy");
  }

  async run({ signal, report }: Run): Promise<void> {
    const aspects = new Aspects(["renewal", "contact"], report);
    await Promise.all([
      this.#keep({ signal, report: aspects.of("renewal") }),
      watchLocks({
        ...this.#options,
        signal,
        report: aspects.of("contact"),
        onPardon: () => this.renewNow(),
      }),
      watchTrust({ ...this.#options, signal, renew: () => this.renewNow() }),
    ]);
  }

  async #keep({ signal, report }: Run): Promise<void> {
    const { configuration, identity, clock, log } = this.#options;
    let failing = false;
    using _reached = identity.onReached(() => failing && this.#wanted.ring());
    await runRepeatedly({
      ...this.#options,
      signal,
      bell: this.#wanted,
      retry: RETRY,
      intervalMs: () => {
        const wantedMs = durationMs(configuration.renewal_interval);
        return renewAfter({ clock, expires: identity.expires, wantedMs });
      },
      run: async () => {
        failing = false; // what this run reaches needs no other run
        await this.#renew(signal);
      },
      onSuccess: () => report("healthy"),
      onFailure: (error, delayMs) => {
        failing = true;
        const retryMs = Math.round(delayMs);
        log.warn("cannot renew the identity, will try again", { error, retryMs });
        report("unhealthy", messageOf(error));
      },
    });
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { identity, metrics, log } = this.#options;
    const task = { service: this.name, name: "renew" };
    const {
      identity: joined,
      refreshed,
      notices,
    } = await metrics.tasks.measure(task, () => identity.renew(signal));
    metrics.expiry.set(this.name, joined.expires);
    metrics.recoveriesLeft(joined.recoveriesLeft);
    log.info(refreshed ? "refreshed its identity" : "joined the cluster", {
      cluster: joined.trust.clusterName,
      expires: new Date(joined.expires).toISOString(),
      ...(joined.recoveriesLeft === undefined ? {} : { recoveriesLeft: joined.recoveriesLeft }),
    });
    for (const notice of notices) log.warn(notice);
    if (this.#outputsToo) identity.askRenewal();
    this.#outputsToo = false;
  }
}
