import { runRepeatedly, type Clock, type Logger } from "#base/kernel";
import type { BotIdentity } from "./identity.ts";
import type { HostFacts } from "./host-facts.ts";
import type { Readiness } from "./readiness.ts";

/** Often enough that a page that lists machines is never far behind. */
const HEARTBEAT_INTERVAL_MS = 5 * 60_000;

export interface HeartbeatOptions {
  readonly identity: BotIdentity;
  readonly readiness: Readiness;
  readonly host: HostFacts;
  readonly oneshot: boolean;
  /** The effective configuration without secrets, YAML. */
  readonly configuration: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Tells the cluster that this instance lives, and how its services are, until the signal aborts. */
export async function sendHeartbeats(
  options: HeartbeatOptions,
  signal: AbortSignal,
): Promise<void> {
  const started = options.clock.monotonic();
  let startup = true;
  await runRepeatedly({
    ...options,
    signal,
    intervalMs: HEARTBEAT_INTERVAL_MS,
    retry: { firstMs: 5_000, maxMs: HEARTBEAT_INTERVAL_MS },
    run: async () => {
      await options.readiness.settled({ signal });
      await sendHeartbeat(options, {
        startup,
        uptimeMs: options.clock.monotonic() - started,
        signal,
      });
      startup = false;
    },
    onFailure: (error) => options.log.warn("heartbeat failed", { error }),
  });
}

async function sendHeartbeat(
  { identity, readiness, host, oneshot, configuration }: HeartbeatOptions,
  beat: { startup: boolean; uptimeMs: number; signal: AbortSignal },
): Promise<void> {
  await identity.ready(beat.signal);
  await identity.client.auth.submitHeartbeat(
    {
      ...host,
      uptimeSeconds: BigInt(Math.floor(beat.uptimeMs / 1000)),
      oneShot: oneshot,
      kind: "tbot",
      configuration,
      startup: beat.startup,
      services: readiness.all().map(({ name, type, state, reason = "", updatedAt }) => ({
        name,
        type,
        status: state,
        reason,
        updatedAt: BigInt(updatedAt),
      })),
    },
    { signal: beat.signal },
  );
}
