import type { Metrics } from "#base/observe";

/** Counts what one tunnel carries. */
export interface TunnelMetrics {
  opened(service: string): void;
  closed(service: string, bytes: { readonly up: number; readonly down: number }): void;
}

/** Counts the runs of one repeated task. */
export interface TaskMetrics {
  finished(task: { service: string; name: string; ok: boolean; seconds: number }): void;
}

export interface BotMetrics {
  readonly tunnels: TunnelMetrics;
  readonly tasks: TaskMetrics;
  identityExpires(at: number): void;
  recoveriesLeft(count: number): void;
}

/** The names of spec section 5. */
export function createBotMetrics(metrics: Metrics): BotMetrics {
  const labels = ["service", "name"];
  const total = metrics.counter("tbot_task_iterations_total", "Runs of a task", labels);
  const successful = metrics.counter(
    "tbot_task_iterations_successful",
    "Runs that succeeded",
    labels,
  );
  const failed = metrics.counter("tbot_task_iterations_failed", "Runs that failed", labels);
  const seconds = metrics.histogram(
    "tbot_task_iterations_duration_seconds",
    "Time of a run",
    labels,
  );
  const open = metrics.gauge("tbot_tunnel_connections_open", "Tunnelled connections open now", [
    "service",
  ]);
  const bytes = metrics.counter("tbot_tunnel_bytes_total", "Bytes through tunnels", [
    "service",
    "direction",
  ]);
  const expiry = metrics.gauge(
    "tbot_identity_expires_seconds",
    "End of the bot's identity, seconds since the epoch",
  );
  const recoveries = metrics.gauge(
    "tbot_recoveries_remaining",
    "Recoveries that the token still allows",
  );
  return {
    tunnels: {
      opened: (service) => open.inc({ service }),
      closed: (service, { up, down }) => {
        open.dec({ service });
        bytes.inc({ service, direction: "up" }, up);
        bytes.inc({ service, direction: "down" }, down);
      },
    },
    tasks: {
      finished: ({ service, name, ok, seconds: took }) => {
        total.inc({ service, name });
        (ok ? successful : failed).inc({ service, name });
        seconds.observe({ service, name }, took);
      },
    },
    identityExpires: (at) => expiry.set(at / 1000),
    recoveriesLeft: (count) => recoveries.set(count),
  };
}
