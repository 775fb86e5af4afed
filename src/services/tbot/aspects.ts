import type { Report } from "./supervisor.ts";

/**
 * What one service must keep up, part by part. It is healthy once every part is good, and unhealthy,
 * for the reason of the first, while any is not.
 */
export class Aspects<Name extends string> {
  readonly #report: Report;
  readonly #parts: Map<Name, Parameters<Report> | undefined>;

  constructor(names: readonly Name[], report: Report) {
    this.#report = report;
    this.#parts = new Map(names.map((name) => [name, undefined]));
  }

  /** How one part says how it is; what it has said already is not passed on again. */
  of(name: Name): Report {
    return (state, reason) => {
      const [lastState, lastReason] = this.#parts.get(name) ?? [];
      if (state === lastState && reason === lastReason) return;
      this.#parts.set(name, [state, reason]);
      this.#tell();
    };
  }

  #tell(): void {
    const parts = [...this.#parts.values()];
    const bad = parts.find((said) => said?.[0] === "unhealthy");
    if (bad) this.#report(...bad);
    else if (parts.every((said) => said !== undefined)) this.#report("healthy");
  }
}
