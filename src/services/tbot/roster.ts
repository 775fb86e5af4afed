import { alreadyExists, limitExceeded } from "#base/kernel";
import { claimsOf, nameClaim, ownClaims, placesOf } from "./claims.ts";
import {
  completeService,
  type BotConfiguration,
  type NamedServiceConfiguration,
  type ServiceConfiguration,
} from "./configuration.ts";
import { TakenNames } from "./names.ts";
import type { Surroundings } from "./service-type.ts";

/** Far more than one process should carry; each holds a key, timers and perhaps a session. */
const MAX_SERVICES = 4_096;

export interface Enlisted {
  readonly configuration: NamedServiceConfiguration;
  readonly spawned: boolean;
}

/** The services that a bot has now, with their configurations, and who holds which name and place. */
export class Roster {
  readonly #enlisted = new Map<string, Enlisted>();
  /** Services by what they claim. */
  readonly #holders = new Map<string, string>();
  readonly #names = new TakenNames();
  readonly #own: ReadonlyMap<string, string>;
  readonly #surroundings: Surroundings;

  constructor(bot: BotConfiguration, surroundings: Surroundings) {
    this.#own = ownClaims(bot);
    this.#surroundings = surroundings;
  }

  /** Gives it its name. Throws `already_exists` when something of it is another's, `limit_exceeded`. */
  add(service: ServiceConfiguration, spawned: boolean): NamedServiceConfiguration {
    this.checkRoom(1);
    const configuration = this.named(service);
    const claims = claimsOf(configuration);
    for (const { what } of claims) this.#refuseIfHeld(what);
    for (const { what } of claims) this.#holders.set(what, configuration.name);
    this.#names.add(configuration.name);
    this.#enlisted.set(configuration.name, { configuration, spawned });
    return configuration;
  }

  /** With the name that it has, or would get now. */
  named(service: ServiceConfiguration): NamedServiceConfiguration {
    return this.#names.named(completeService(service, this.#surroundings));
  }

  remove(name: string): void {
    const enlisted = this.#enlisted.get(name);
    if (!enlisted) return;
    for (const { what } of claimsOf(enlisted.configuration)) this.#holders.delete(what);
    this.#enlisted.delete(name);
    this.#names.remove(name);
  }

  get(name: string): Enlisted | undefined {
    return this.#enlisted.get(name);
  }

  all(): readonly Enlisted[] {
    return [...this.#enlisted.values()];
  }

  /** The services that hold what this one would claim. */
  holders(service: ServiceConfiguration): readonly string[] {
    const own = service.name === undefined ? [] : [nameClaim(service.name)];
    const places = placesOf(completeService(service, this.#surroundings));
    const claims = [...own, ...places.map(({ what }) => what)];
    const names = claims.map((what) => this.#holders.get(what));
    return [...new Set(names.filter((name) => name !== undefined))];
  }

  /** Throws `limit_exceeded`. */
  checkRoom(more: number): void {
    const { size } = this.#enlisted;
    if (size + more > MAX_SERVICES)
      throw limitExceeded(
        `the bot has ${size} services, and ${MAX_SERVICES} is the most it takes: ${more} more are refused; stop some first`,
      );
  }

  #refuseIfHeld(what: string): void {
    const holder = this.#holders.get(what);
    const owner = holder === undefined ? this.#own.get(what) : `service "${holder}"`;
    if (owner !== undefined)
      throw alreadyExists(`${what} is taken by ${owner}; choose another, or stop that one first`);
  }
}
