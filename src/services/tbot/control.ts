import type { LogFields } from "#base/kernel";
import type { SpawnCaps } from "./caps.ts";
import type { ServiceConfiguration } from "./configuration.ts";
import type { ServiceStatus } from "./readiness.ts";
import type { ServiceEvent } from "./supervisor.ts";

/** A status, and where its service came from. */
export interface ControlledStatus extends ServiceStatus {
  /** Whether it came by `spawn`, not from the file. */
  readonly spawned: boolean;
}

export interface ControlledEvent {
  readonly event: ServiceEvent["event"];
  readonly status: ControlledStatus;
}

export interface SpawnOptions {
  /** Return once the list is accepted. */
  readonly skipWait?: boolean;
  /** Without one there is no limit. */
  readonly timeoutMs?: number;
  /** The same key with the same list starts nothing twice. */
  readonly idempotencyKey?: string;
  readonly caps?: SpawnCaps;
  /** Who asks, for the log. */
  readonly by?: LogFields;
  /** The caller is gone; what was started goes on. */
  readonly signal?: AbortSignal;
}

export interface SpawnResult {
  /**
   * `accepted`: nobody waited. `ready`: all are healthy or exited without error. `failed`: one is
   * unhealthy, failed or was refused. `timed_out`: none of these, but one is still initializing.
   */
  readonly outcome: "accepted" | "ready" | "failed" | "timed_out";
  /** Those of the list, in its order. One that was refused is `failed`, and is not there. */
  readonly services: readonly ControlledStatus[];
}

/** What may be asked of a running bot. */
export interface BotControl {
  /**
   * Starts every service of a YAML list (or of one already parsed). Throws, and has started nothing:
   * `bad_parameter` with every fault and its place, `access_denied` for what the caps do not allow,
   * `already_exists` for a key that was used for another list, `limit_exceeded`.
   */
  spawn(
    list: string | readonly ServiceConfiguration[],
    options?: SpawnOptions,
  ): Promise<SpawnResult>;
  /** After what it has in flight; then it is forgotten. `not_found` for an unknown name. */
  stop(name: string, by?: LogFields): Promise<void>;
  statuses(): readonly ControlledStatus[];
  /** Throws `not_found`. */
  status(name: string): ControlledStatus;
  watch(watcher: (event: ControlledEvent) => void): Disposable;
  /** YAML for `tbot start -c` that resumes the services that run now; no secret is in it. */
  configuration(): string;
}
