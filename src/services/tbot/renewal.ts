import { durationMs } from "#base/config";
import { Bell, codeOf, messageOf, runRepeatedly, type Backoff, type Clock } from "#base/kernel";
import { fewTimes } from "./few-times.ts";
import type { NamedConfiguration, ServiceDependencies } from "./service-type.ts";
import type { Report } from "./supervisor.ts";

/** The cluster hears from every bot that lost it about this often. */
export const RETRY: Backoff = { firstMs: 1_000, maxMs: 30_000 };
/** However short-lived the cluster makes credentials. */
const RENEW_AT_MOST_EVERY_MS = 1_000;

type RenewalDependencies = Pick<
  ServiceDependencies,
  "identity" | "clock" | "random" | "log" | "tasks" | "expiry" | "oneshot" | "defaults"
>;

export interface Renewing {
  readonly configuration: NamedConfiguration & { readonly renewal_interval?: string | undefined };
  readonly dependencies: RenewalDependencies;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** What the metrics call this task. */
  readonly task: string;
  /** Makes sure, before each run, of what the run needs here. `bad_parameter` is for good. */
  readonly prepare: () => Promise<void>;
  /** Gives the end of the certificate that it got, milliseconds since the epoch. */
  readonly run: (signal: AbortSignal) => Promise<number>;
}

/**
 * Runs a service's renewal until the signal aborts: at once, at its interval (or at half of the
 * certificate's life, where the cluster gave less), and whenever the bot's identity asks for it.
 * Failures make the service unhealthy and are tried again; what was issued before stays in use.
 * Rejects when nothing but another configuration can help. A one-shot bot runs it once, and fails
 * when it fails.
 */
export async function renew(renewing: Renewing): Promise<void> {
  if (renewing.dependencies.oneshot) await renewOnce(renewing);
  else await renewAlways(renewing);
}

async function renewOnce(renewing: Renewing): Promise<void> {
  const { dependencies, signal, report, prepare } = renewing;
  await prepare();
  await fewTimes({ ...dependencies, signal }, () => measured(renewing));
  report("healthy");
}

async function renewAlways(renewing: Renewing): Promise<void> {
  const { configuration, dependencies, signal, report } = renewing;
  const { clock, identity, log } = dependencies;
  const bell = new Bell();
  let failing = false;
  let expires = 0;
  const hopeless = new AbortController();
  using _asked = identity.onRenewalAsked(() => bell.ring());
  using _reached = identity.onReached(() => failing && bell.ring());
  await runRepeatedly({
    ...dependencies,
    signal: AbortSignal.any([signal, hopeless.signal]),
    bell,
    retry: RETRY,
    intervalMs: () =>
      renewAfter({ clock, expires, wantedMs: intervalOf(configuration, dependencies) }),
    run: async () => {
      await renewing.prepare().catch((error: unknown) => {
        if (codeOf(error) === "bad_parameter") hopeless.abort(error);
        throw error;
      });
      expires = await measured(renewing);
    },
    onSuccess: () => {
      failing = false;
      report("healthy");
    },
    onFailure: (error, delayMs) => {
      failing = true;
      log.warn("renewal failed, will try again", { error, retryMs: Math.round(delayMs) });
      report("unhealthy", messageOf(error));
    },
  });
  if (hopeless.signal.aborted && !signal.aborted) throw hopeless.signal.reason;
}

/**
 * Credentials are renewed long before they end, also when the cluster gave less than was asked for.
 * Where there are none (any more), only the back-off counts.
 */
export function renewAfter(about: { clock: Clock; expires: number; wantedMs: number }): number {
  const leftMs = about.expires - about.clock.now();
  if (leftMs <= 0) return about.wantedMs;
  return Math.min(about.wantedMs, Math.max(RENEW_AT_MOST_EVERY_MS, leftMs / 2));
}

async function measured({
  configuration,
  dependencies,
  signal,
  task,
  run,
}: Renewing): Promise<number> {
  const { tasks, expiry } = dependencies;
  const service = configuration.name;
  const expires = await tasks.measure({ service, name: task }, () => run(signal));
  expiry.set(service, expires);
  return expires;
}

function intervalOf(
  configuration: Renewing["configuration"],
  { defaults }: RenewalDependencies,
): number {
  const { renewal_interval: own } = configuration;
  return own === undefined ? defaults.renewalIntervalMs : durationMs(own);
}
