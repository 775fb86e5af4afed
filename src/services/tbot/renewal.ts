import { durationMs } from "#base/config";
import { Bell, runRepeatedly, type Backoff } from "#base/kernel";
import type { NamedConfiguration, ServiceDependencies } from "./service-type.ts";
import type { Report } from "./supervisor.ts";

const RETRY: Backoff = { firstMs: 1_000, maxMs: 60_000 };

/** A bot that ends after its work tries this often before it gives up. */
const ONESHOT_ATTEMPTS = 3;

export interface Renewing {
  readonly configuration: NamedConfiguration & { readonly renewal_interval?: string | undefined };
  readonly dependencies: ServiceDependencies;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** What the metrics call this task. */
  readonly task: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Runs a service's renewal until the signal aborts: at once, at its interval, and whenever the bot's
 * identity asks for it. Failures make the service unhealthy and are tried again; what was issued
 * before stays in use. A one-shot bot runs it once, and fails when it fails.
 */
export async function renew(renewing: Renewing): Promise<void> {
  if (renewing.dependencies.oneshot) return await renewOnce(renewing);
  const { configuration, dependencies, signal, report } = renewing;
  const bell = new Bell();
  using _asked = dependencies.identity.onRenewalAsked(() => bell.ring());
  await runRepeatedly({
    ...dependencies,
    signal,
    bell,
    retry: RETRY,
    intervalMs: intervalOf(configuration, dependencies),
    run: () => measured(renewing),
    onSuccess: () => report("healthy"),
    onFailure: (error, delayMs) => {
      dependencies.log.warn("renewal failed, will try again", {
        error,
        retryMs: Math.round(delayMs),
      });
      report("unhealthy", error instanceof Error ? error.message : String(error));
    },
  });
}

async function renewOnce(renewing: Renewing): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await measured(renewing);
      return renewing.report("healthy");
    } catch (error) {
      if (attempt === ONESHOT_ATTEMPTS || renewing.signal.aborted) throw error;
      renewing.dependencies.log.warn("issuance failed, trying again", { error, attempt });
    }
  }
}

async function measured({
  configuration,
  dependencies,
  signal,
  task,
  run,
}: Renewing): Promise<void> {
  const started = dependencies.clock.monotonic();
  const finish = (ok: boolean): void =>
    dependencies.tasks.finished({
      service: configuration.name,
      name: task,
      ok,
      seconds: (dependencies.clock.monotonic() - started) / 1000,
    });
  try {
    await run(signal);
    finish(true);
  } catch (error) {
    finish(false);
    throw error;
  }
}

function intervalOf(
  configuration: Renewing["configuration"],
  { defaults }: ServiceDependencies,
): number {
  const { renewal_interval: own } = configuration;
  return own === undefined ? defaults.renewalIntervalMs : durationMs(own);
}
