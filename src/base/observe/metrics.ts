import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The process's own registry of Prometheus metrics; one for each program or test, never global. */
export class Metrics {
  readonly #registry = new Registry();

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }

  /** A gauge whose value is read whenever somebody asks for it. */
  watched(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: () => gauge.set(read()),
    });
  }

  histogram(
    name: string,
    help: string,
    labels: readonly string[] = [],
    buckets?: number[],
  ): Histogram {
    return new Histogram({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      ...(buckets ? { buckets } : {}),
    });
  }

  /** The text exposition format 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
