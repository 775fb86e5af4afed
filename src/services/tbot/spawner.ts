import { parseValue, parseYaml } from "#base/config";
import {
  aborted,
  badParameter,
  CodedError,
  deadline,
  messageOf,
  type Clock,
  type LogFields,
  type Logger,
} from "#base/kernel";
import * as z from "zod";
import { withinCaps } from "./caps.ts";
import {
  service,
  type BotConfiguration,
  type NamedServiceConfiguration,
  type ServiceConfiguration,
} from "./configuration.ts";
import { serviceContradictions } from "./contradictions.ts";
import type { ControlledEvent, ControlledStatus, SpawnOptions, SpawnResult } from "./control.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import type { Roster } from "./roster.ts";

export interface SpawnerOptions {
  readonly configuration: BotConfiguration;
  readonly roster: Roster;
  /** Starts what the roster has. What it throws is the refusal of that one service. */
  readonly start: (service: NamedServiceConfiguration) => void;
  readonly stop: (name: string) => Promise<void>;
  readonly status: (name: string) => ControlledStatus;
  /** Resolves once a kill would not make the bot forget what it has. */
  readonly remembered: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One service of a list: how it is now, and what it first reported, or why it was refused. */
interface Asked {
  /** It was never started. */
  readonly refused?: true;
  readonly now: () => ControlledStatus;
  readonly settled: Promise<ControlledStatus>;
}

/** Starts lists of services in a running bot. */
export class Spawner {
  readonly #options: SpawnerOptions;
  readonly #keys = new IdempotencyKeys<readonly Asked[]>();
  /** Of services that have not reported yet. */
  readonly #waiting = new Map<string, (status: ControlledStatus) => void>();
  readonly #onceReady = new Set<string>();

  constructor(options: SpawnerOptions) {
    this.#options = options;
  }

  /** See `BotControl`. */
  async spawn(
    list: string | readonly ServiceConfiguration[],
    options: SpawnOptions = {},
  ): Promise<SpawnResult> {
    const { idempotencyKey: key, caps = {}, by = {} } = options;
    const services = withinCaps(this.#parse(list), caps);
    const start = (): Promise<readonly Asked[]> => this.#startAll(services, by);
    const asked = await (key ? this.#keys.once(key, services, start) : start());
    return options.skipWait ? result(asked, true) : await this.#wait(asked, options);
  }

  /** Must hear of every event of every service. */
  hear({ event, status }: ControlledEvent): void {
    const { name } = status;
    if (event === "spawned") return;
    if (event === "ready") this.#onceReady.add(name);
    if (event === "stopped") this.#onceReady.delete(name);
    const stopped = {
      ...status,
      state: "failed",
      reason: "stopped before it had reported",
    } as const;
    this.#waiting.get(name)?.(event === "stopped" ? stopped : status);
    this.#waiting.delete(name);
  }

  #parse(list: string | readonly ServiceConfiguration[]): readonly ServiceConfiguration[] {
    const { configuration } = this.#options;
    if (configuration.oneshot) throw badParameter("a one-shot bot takes no more services");
    const schema = z
      .array(service)
      .min(1)
      .superRefine((services, context) => {
        if (context.issues.length > 0) return;
        for (const { path, message } of serviceContradictions({ ...configuration, services }))
          context.addIssue({ code: "custom", path: [...path], message });
      });
    return typeof list === "string"
      ? parseYaml({ text: list, file: "services", schema })
      : parseValue({ value: list, what: "services", schema });
  }

  async #startAll(
    services: readonly ServiceConfiguration[],
    by: LogFields,
  ): Promise<readonly Asked[]> {
    const { roster, remembered, log } = this.#options;
    roster.checkRoom(services.length);
    const started = new Set<string>();
    const asked: Asked[] = [];
    for (const each of services) {
      await this.#makeWay(each, started);
      const one = this.#startOne(each, started);
      const { name: service, type, reason } = one.now();
      if (one.refused) log.warn("did not spawn", { service, type, reason, ...by });
      else log.info("spawned", { service, type, ...by });
      asked.push(one);
    }
    await remembered();
    return asked;
  }

  /** A try that never worked does not stand in the way of the next one. */
  async #makeWay(wanted: ServiceConfiguration, keep: ReadonlySet<string>): Promise<void> {
    const { roster, stop, log } = this.#options;
    for (const name of roster.holders(wanted)) {
      if (keep.has(name) || !this.#givesWay(name)) continue;
      log.info("makes way for a new service", { service: name });
      await stop(name).catch(() => {});
    }
  }

  #givesWay(name: string): boolean {
    if (!this.#options.roster.get(name)?.spawned) return false;
    const { state } = this.#options.status(name);
    if (state === "unhealthy") return !this.#onceReady.has(name);
    return state === "failed" || state === "exited";
  }

  #startOne(wanted: ServiceConfiguration, started: Set<string>): Asked {
    const { roster, start } = this.#options;
    let name: string | undefined;
    try {
      const named = roster.add(wanted, true);
      ({ name } = named);
      const asked = this.#await(name);
      start(named);
      started.add(name);
      return asked;
    } catch (error) {
      if (name !== undefined) roster.remove(name);
      if (!(error instanceof CodedError)) throw error;
      return this.#refused(wanted, error);
    }
  }

  #await(name: string): Asked {
    const { promise: settled, resolve } = Promise.withResolvers<ControlledStatus>();
    let last: ControlledStatus | undefined;
    this.#waiting.set(name, (first) => resolve((last = first)));
    return { settled, now: () => last ?? this.#options.status(name) };
  }

  #refused(wanted: ServiceConfiguration, error: CodedError): Asked {
    const { roster, clock } = this.#options;
    const { name, type } = roster.named(wanted);
    const status: ControlledStatus = {
      name,
      type,
      state: "failed",
      reason: messageOf(error),
      updatedAt: clock.now(),
      spawned: true,
    };
    return { refused: true, settled: Promise.resolve(status), now: () => status };
  }

  async #wait(asked: readonly Asked[], options: SpawnOptions): Promise<SpawnResult> {
    const { timeoutMs, signal = new AbortController().signal } = options;
    using limit =
      timeoutMs === undefined
        ? { signal, [Symbol.dispose]: () => {} }
        : deadline(this.#options.clock, timeoutMs, signal);
    await Promise.race([Promise.all(asked.map(({ settled }) => settled)), aborted(limit.signal)]);
    return result(asked, false);
  }
}

function result(asked: readonly Asked[], skipped: boolean): SpawnResult {
  const services = asked.map(({ now }) => now());
  const has = (...states: readonly string[]): boolean =>
    services.some(({ state }) => states.includes(state));
  if (has("failed", "unhealthy")) return { outcome: "failed", services };
  if (skipped) return { outcome: "accepted", services };
  return { outcome: has("initializing") ? "timed_out" : "ready", services };
}
