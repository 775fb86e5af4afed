import { accessDenied, type Clock } from "#base/kernel";
import { checkOpen, LockSet, type UserIdentity } from "#domain/access";
import { CurrentVerifier, type Trust } from "#domain/authority";
import type { Role } from "#domain/resources";

export interface ServedApp {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AgentRulesOptions {
  /** The authorities as this agent knows them now. */
  readonly trust: () => Trust;
  readonly clock: Clock;
}

/**
 * What an agent decides by itself, so that a proxy that lies or errs opens nothing: the client's
 * certificate, its route, the locks, and its roles against the labels of the application here.
 */
export class AgentRules {
  readonly locks = new LockSet();
  readonly #options: AgentRulesOptions;
  readonly #roles = new Map<string, Role>();
  readonly #verifier: CurrentVerifier;

  constructor(options: AgentRulesOptions) {
    this.#options = options;
    this.#verifier = new CurrentVerifier(options.trust);
  }

  replaceRoles(roles: Iterable<Role>): void {
    this.#roles.clear();
    for (const role of roles) this.putRole(role);
  }

  putRole(role: Role): void {
    this.#roles.set(role.metadata.name, role);
  }

  removeRole(name: string): void {
    this.#roles.delete(name);
  }

  /** Whose connection this is. Throws `unauthenticated` or `access_denied`. */
  check(certificate: Uint8Array, app: ServedApp): UserIdentity {
    const now = this.#options.clock.now();
    const verified = this.#verifier.verify(certificate, now);
    if (verified.kind !== "user" || verified.identity.appName !== app.name)
      throw accessDenied(`this certificate does not open application "${app.name}"`);
    const { identity } = verified;
    this.locks.check(identity, now);
    const roles = identity.roles.flatMap((name) => this.#roles.get(name) ?? []);
    checkOpen("app", { roles, traits: identity.traits }, app);
    return identity;
  }
}
