import type { Clock, Logger } from "#base/kernel";
import type { LogRing } from "#base/observe";
import type { z } from "zod";
import type { LiveConnections } from "#services/tunnel";
import type { BotControl } from "./control.ts";
import type { BotIdentity } from "./identity.ts";
import type { ExpiryMetrics, TaskMetrics, TunnelMetrics } from "./metrics.ts";
import type { Service } from "./supervisor.ts";

/** What a service may use; it asks only for what it needs. */
export interface ServiceDependencies {
  readonly identity: BotIdentity;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly tunnels: TunnelMetrics;
  readonly tasks: TaskMetrics;
  readonly expiry: ExpiryMetrics;
  /** Cuts connections when a lock or the end of a certificate says so. */
  readonly live: LiveConnections;
  readonly defaults: { readonly credentialTtlMs: number; readonly renewalIntervalMs: number };
  /** The bot ends when its services have done their work once. */
  readonly oneshot: boolean;
  /** The bot itself, for services that take orders for it. */
  readonly control: BotControl;
  /** The bot's own log; absent where nobody keeps it. */
  readonly logs?: LogRing;
}

/** What a bot knows of its surroundings, for fields that nobody has filled in. */
export interface Surroundings {
  /** Where an API listens without a place of its own: `unix:///run/user/1000/tenon/bot-api.sock`. */
  readonly apiSocket?: string;
}

/** What every service's configuration has; its `name` was given or counted before it is created. */
export interface NamedConfiguration {
  readonly type: string;
  readonly name: string;
}

/**
 * One kind of service: `(configuration) → (dependencies) → Service`. `services/index.ts` lists them
 * all; the configuration file, the command line and the reference pages come from that list. The
 * `type` field of the schema holds the type and, as `valueAliases`, its other spellings.
 */
export interface ServiceType<C, S extends z.ZodObject = z.ZodObject> {
  /** The base of default names: `app-tunnel` gives `app-tunnel-1`. */
  readonly shortName: string;
  readonly summary: string;
  readonly schema: S;
  /** Set where the work is never done, so that a one-shot bot cannot have it. */
  readonly endless?: true;
  /** Fields that nobody has filled in, and that depend on where the bot runs. */
  missing?(configuration: C, surroundings: Surroundings): object;
  create(configuration: C & NamedConfiguration, dependencies: ServiceDependencies): Service;
}

/** Ties a schema to the service that its values configure. */
export function defineServiceType<S extends z.ZodObject>(
  type: ServiceType<z.output<S>, S>,
): ServiceType<z.output<S>, S> {
  return type;
}
