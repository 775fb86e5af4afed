// What bench/join.ts has its machines do, and what that costs the server.
import type { SecureContext } from "node:tls";
import { join, ping } from "./join-ceremony.ts";
import { Line, sessionOf, type Dial } from "./join-line.ts";
import { contextOf, type Machine } from "./join-machines.ts";
import type { Cost, Stage } from "./join-stage.ts";
import { inLanes } from "./support.ts";

export const kinds = [
  "first_join",
  "refresh",
  "refresh_resumed",
  "refresh_kept",
  "recovery",
] as const;
export type KindName = (typeof kinds)[number];

/** After connections were opened or closed: the server's own end of it. */
const SETTLE_MS = 100;
/** One address may make 300 calls without a certificate, and then 20 a second. */
const CALLS_PER_ADDRESS = 200;

/** One ceremony, ready to be measured. */
interface Ready {
  run(): Promise<void>;
  end?(): void;
}

export class Course {
  readonly #stage: Stage;
  readonly #preparations: Readonly<Record<KindName, (machine: Machine) => Promise<Ready>>>;
  #joined = 0;
  #fresh = 0;
  #strangers = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#preparations = {
      first_join: (machine) => this.#new(machine),
      refresh: (machine) => this.#new(machine),
      refresh_resumed: (machine) => this.#resumed(machine),
      refresh_kept: (machine) => this.#kept(machine),
      recovery: (machine) => this.#new({ ...machine, certificate: undefined }, machine),
    };
  }

  /** Every machine joins once: what it holds then is of the server that is measured. */
  async warm(): Promise<void> {
    await inLanes(this.#stage.machines.joined, async (machine) => {
      const ready = await this.#new(machine);
      await ready.run();
    });
  }

  async measure(kind: KindName, count: number): Promise<Cost> {
    const machines = kind === "first_join" ? this.#someFresh(count) : this.some(count);
    const ready = await inLanes(machines, this.#preparations[kind]);
    await settle();
    const cost = await this.#stage.cost(count, () => inLanes(ready, (each) => each.run()));
    for (const each of ready) each.end?.();
    await settle();
    return cost;
  }

  /** Server microseconds of an empty call. */
  async pings(count: number): Promise<number> {
    using line = await Line.open(this.#dial(this.some(1)[0]!));
    await ping(line);
    const calls = Array.from({ length: count }, () => line);
    return (await this.#stage.cost(count, () => inLanes(calls, ping))).total;
  }

  /** Refreshes that begin at their time, whatever became of those before; their milliseconds. */
  async openLoop(perSecond: number, ms: number): Promise<number[]> {
    // Each machine once: a machine that is refreshed twice at a time is two copies of itself.
    const machines = this.#stage.machines.joined.length;
    const count = Math.min(Math.floor((perSecond * ms) / 1_000), machines);
    const start = performance.now();
    return await Promise.all(
      this.some(count).map(async (machine, i) => {
        const due = start + (i * 1_000) / perSecond;
        await until(due);
        await (await this.#new(machine)).run();
        return performance.now() - due;
      }),
    );
  }

  /** The next machines in turn. */
  some(count: number): readonly Machine[] {
    const { joined } = this.#stage.machines;
    return Array.from({ length: count }, () => joined[this.#joined++ % joined.length]!);
  }

  #someFresh(count: number): readonly Machine[] {
    const from = this.#fresh;
    this.#fresh += count;
    return this.#stage.machines.fresh.slice(from, this.#fresh);
  }

  /** Over a connection of its own; `joins` is who joins, where it shows less than it has. */
  async #new(machine: Machine, joins = machine): Promise<Ready> {
    return {
      run: async () => {
        using line = await Line.open(this.#dial(machine));
        await join(line, joins);
      },
    };
  }

  async #resumed(machine: Machine): Promise<Ready> {
    const dial = this.#dial(machine);
    const session = await sessionOf(dial);
    return {
      run: async () => {
        using line = await Line.open({ ...dial, session });
        if (!line.socket.isSessionReused()) throw new Error("the session was not resumed");
        await join(line, machine);
      },
    };
  }

  async #kept(machine: Machine): Promise<Ready> {
    const line = await Line.open(this.#dial(machine));
    return { run: () => join(line, machine), end: () => line[Symbol.dispose]() };
  }

  #dial(machine: Machine): Dial {
    const { endpoint, pair } = this.#stage;
    const context: SecureContext = contextOf(machine, pair.ca);
    if (machine.certificate) return { endpoint, context };
    return { endpoint, context, localAddress: this.#strangersAddress() };
  }

  /** The limits for strangers are not what is measured here. */
  #strangersAddress(): string {
    const host = Math.floor(this.#strangers++ / CALLS_PER_ADDRESS) + 2;
    return `127.0.${host >> 8}.${host & 255}`;
  }
}

const settle = (): Promise<void> => until(performance.now() + SETTLE_MS);

const until = (time: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, time - performance.now())));
