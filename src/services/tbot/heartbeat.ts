import { Bell, deadline, runRepeatedly, waitOrBell, type Clock, type Logger } from "#base/kernel";
import type { BotIdentity } from "./identity.ts";
import type { HostFacts } from "./host-facts.ts";
import { isReady, type Readiness, type ServiceStatus } from "./readiness.ts";

/** Often enough that a page that lists machines is never far behind. */
const HEARTBEAT_INTERVAL_MS = 5 * 60_000;
/** A change of a service's state is told soon, but the cluster keeps only the last ten heartbeats. */
const HEARTBEAT_AT_MOST_EVERY_MS = 15_000;
/** A heartbeat that says how services are is worth a wait, but not a long one. */
const WAIT_FOR_SERVICES_MS = 30_000;
/** A one-shot bot does not wait longer for something that only a page shows. */
const ONLY_HEARTBEAT_MS = 5_000;
/** What the cluster takes; a heartbeat with more would be refused whole. */
const MAX_REASON = 1_024;
const MAX_SERVICES = 100;
const MAX_CONFIGURATION_BYTES = 32 * 1024;

export interface HeartbeatOptions {
  readonly identity: BotIdentity;
  readonly readiness: Readiness;
  readonly host: HostFacts;
  /** `embedded` where another program runs the bot in its own process. */
  readonly kind: "tbot" | "embedded";
  readonly oneshot: boolean;
  /** The effective configuration without secrets, YAML. */
  readonly configuration: () => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

interface Beat {
  readonly startup: boolean;
  readonly uptimeMs: number;
  readonly signal: AbortSignal;
}

/**
 * Tells the cluster that this instance lives, and how its services are, until the signal aborts: at
 * its interval, and soon after a service's state changed.
 */
export async function sendHeartbeats(
  options: HeartbeatOptions,
  signal: AbortSignal,
): Promise<void> {
  const { readiness, clock, log } = options;
  const started = clock.monotonic();
  const changed = new Bell();
  /** The states that the last heartbeat, sent or on its way, told of; none before the first. */
  let told: string | undefined;
  let toldAt = -Infinity;
  using _watch = readiness.watch(() => {
    if (told !== undefined && told !== statesOf(readiness.all())) changed.ring();
  });
  await runRepeatedly({
    ...options,
    signal,
    bell: changed,
    intervalMs: HEARTBEAT_INTERVAL_MS,
    retry: { firstMs: 5_000, maxMs: HEARTBEAT_INTERVAL_MS },
    run: async () => {
      await settled(options, signal);
      await waitOrBell({
        clock,
        signal,
        ms: toldAt + HEARTBEAT_AT_MOST_EVERY_MS - clock.monotonic(),
      });
      told = statesOf(readiness.all());
      const uptimeMs = clock.monotonic() - started;
      await sendHeartbeat(options, { startup: toldAt === -Infinity, uptimeMs, signal });
      toldAt = clock.monotonic();
    },
    onFailure: (error) => log.warn("heartbeat failed", { error }),
  });
}

/** A service that does not get ready keeps nobody from hearing of the others. */
async function settled({ readiness, clock }: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  using limit = deadline(clock, WAIT_FOR_SERVICES_MS, signal);
  await readiness.settled({ signal: limit.signal });
}

/** The first and last one of a one-shot bot; that it is lost is no failure. */
export async function sendOnlyHeartbeat(
  options: HeartbeatOptions,
  signal: AbortSignal,
): Promise<void> {
  using limit = deadline(options.clock, ONLY_HEARTBEAT_MS, signal);
  try {
    await sendHeartbeat(options, { startup: true, uptimeMs: 0, signal: limit.signal });
  } catch (error) {
    options.log.warn("heartbeat failed", { error });
  }
}

async function sendHeartbeat(
  { identity, readiness, host, kind, oneshot, configuration: effective }: HeartbeatOptions,
  { startup, uptimeMs, signal }: Beat,
): Promise<void> {
  await identity.ready(signal);
  const configuration = effective();
  await identity.client.auth.submitHeartbeat(
    {
      ...host,
      uptimeSeconds: BigInt(Math.floor(uptimeMs / 1000)),
      oneShot: oneshot,
      kind,
      configuration:
        Buffer.byteLength(configuration) > MAX_CONFIGURATION_BYTES ? "" : configuration,
      startup,
      services: worthTelling(readiness.all()).map(healthOf),
    },
    { signal },
  );
}

/** Of more services than the cluster takes, those that somebody should look at. */
function worthTelling(services: readonly ServiceStatus[]): readonly ServiceStatus[] {
  if (services.length <= MAX_SERVICES) return services;
  const [own, ...others] = services;
  const bad = others.filter((service) => !isReady([service]));
  const good = others.filter((service) => isReady([service]));
  return [own!, ...bad, ...good].slice(0, MAX_SERVICES);
}

const healthOf = ({ name, type, state, reason = "", updatedAt }: ServiceStatus) => ({
  name,
  type,
  status: state,
  reason: reason.slice(0, MAX_REASON),
  updatedAt: BigInt(updatedAt),
});

const statesOf = (services: readonly ServiceStatus[]): string =>
  services.map(({ name, state }) => `${name} ${state}`).join(", ");
