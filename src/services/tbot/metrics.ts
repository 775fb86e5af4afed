import type { Clock } from "#base/kernel";
import type { Metrics } from "#base/observe";

/** Counts what one tunnel carries. */
export interface TunnelMetrics {
  opened(service: string): void;
  closed(service: string, bytes: { readonly up: number; readonly down: number }): void;
}

/** Counts the runs of repeated tasks. */
export interface TaskMetrics {
  measure<T>(
    task: { readonly service: string; readonly name: string },
    run: () => Promise<T>,
  ): Promise<T>;
}

/** Until when the certificate of each service is good. */
export interface ExpiryMetrics {
  /** Milliseconds since the epoch. */
  set(service: string, expires: number): void;
}

export interface BotMetrics {
  /** Of a service that was stopped nothing is shown any more. */
  forget(service: string): void;
  readonly tunnels: TunnelMetrics;
  readonly tasks: TaskMetrics;
  readonly expiry: ExpiryMetrics;
  /** `undefined` where nobody counts. */
  recoveriesLeft(count: number | undefined): void;
}

/** The names of spec section 5. */
export function createBotMetrics(metrics: Metrics, clock: Clock): BotMetrics {
  const expiry = metrics.gauge(
    "tbot_certificate_expires_seconds",
    "End of a service's certificate, seconds since the epoch",
    ["service"],
  );
  const tunnels = tunnelMetrics(metrics);
  const tasks = taskMetrics(metrics, clock);
  return {
    tunnels,
    tasks,
    forget: (service) => {
      expiry.remove({ service });
      tunnels.forget(service);
      tasks.forget(service);
    },
    expiry: { set: (service, expires) => expiry.set({ service }, expires / 1000) },
    recoveriesLeft: recoveryMetrics(metrics),
  };
}

interface Forgetting {
  forget(service: string): void;
}

function tunnelMetrics(metrics: Metrics): TunnelMetrics & Forgetting {
  const open = metrics.gauge("tbot_tunnel_connections_open", "Tunnelled connections open now", [
    "service",
  ]);
  const bytes = metrics.counter("tbot_tunnel_bytes_total", "Bytes through ended connections", [
    "service",
    "direction",
  ]);
  return {
    opened: (service) => open.inc({ service }),
    closed: (service, { up, down }) => {
      open.dec({ service });
      bytes.inc({ service, direction: "up" }, up);
      bytes.inc({ service, direction: "down" }, down);
    },
    forget: (service) => {
      open.remove({ service });
      for (const direction of ["up", "down"]) bytes.remove({ service, direction });
    },
  };
}

function taskMetrics(metrics: Metrics, clock: Clock): TaskMetrics & Forgetting {
  const labels = ["service", "name"];
  const name = (last: string): string => `tbot_task_iterations_${last}`;
  const total = metrics.counter(name("total"), "Runs of a task", labels);
  const successful = metrics.counter(name("successful"), "Runs that succeeded", labels);
  const failed = metrics.counter(name("failed"), "Runs that failed", labels);
  const seconds = metrics.histogram(name("duration_seconds"), "Time of a run", labels);
  const names = new Map<string, Set<string>>();
  return {
    forget: (service) => {
      for (const task of names.get(service) ?? [])
        for (const each of [total, successful, failed, seconds])
          each.remove({ service, name: task });
      names.delete(service);
    },
    measure: async (task, run) => {
      names.set(task.service, (names.get(task.service) ?? new Set()).add(task.name));
      const started = clock.monotonic();
      const finish = (outcome: typeof successful): void => {
        total.inc(task);
        outcome.inc(task);
        seconds.observe(task, (clock.monotonic() - started) / 1000);
      };
      try {
        const result = await run();
        finish(successful);
        return result;
      } catch (error) {
        finish(failed);
        throw error;
      }
    },
  };
}

function recoveryMetrics(metrics: Metrics): BotMetrics["recoveriesLeft"] {
  // A gauge with a label has no value until it is set: where nobody counts it must not say 0.
  const left = metrics.gauge(
    "tbot_recoveries_remaining",
    "Recoveries that the token still allows",
    ["service"],
  );
  return (count) => {
    if (count === undefined) left.reset();
    else left.set({ service: "bot-identity" }, count);
  };
}
