import type { Clock } from "#base/kernel";

/** A clock that moves only when the test says so; due timers fire in order of their time. */
export class ManualClock implements Clock {
  #now: number;
  #elapsed = 0;
  #timers: { at: number; fire: () => void }[] = [];

  constructor(start = Date.parse("2026-01-01T00:00:00Z")) {
    this.#now = start;
  }

  /** Whole milliseconds, as the system's clock has them. */
  now(): number {
    return Math.floor(this.#now);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  timer(ms: number, fire: () => void): Disposable {
    const timer = { at: this.#elapsed + ms, fire };
    this.#timers.push(timer);
    return { [Symbol.dispose]: () => this.#drop(timer) };
  }

  /** How many timers are armed: what a test waits for before it advances. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves both clocks on and fires what falls due, letting promises settle between timers. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.#move(Math.max(next.at, this.#elapsed));
      this.#drop(next);
      next.fire();
      await settle();
    }
    this.#move(end);
    await settle();
  }

  /** Sets the wall clock without time passing: an administrator, NTP or a resumed machine did it. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #move(to: number): void {
    this.#now += to - this.#elapsed;
    this.#elapsed = to;
  }

  #due(end: number): { at: number; fire: () => void } | undefined {
    return this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
  }

  #drop(timer: { at: number; fire: () => void }): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
