import { accessDenied, notFound, type Clock } from "#base/kernel";
import { checkOpen, describeRoute, type LockSet, type UserIdentity } from "#domain/access";
import type { ClusterView } from "./cluster-view.ts";

export interface AppGateOptions {
  readonly view: ClusterView;
  readonly locks: LockSet;
  readonly clock: Clock;
}

/** Decides who reaches which application; asked for every connection, also on resumed sessions. */
export class AppGate {
  readonly #options: AppGateOptions;

  constructor(options: AppGateOptions) {
    this.#options = options;
  }

  /** Throws `access_denied` or `not_found`. The certificate itself was verified before. */
  check(identity: UserIdentity, app: string): void {
    const { view, locks, clock } = this.#options;
    if (identity.appName !== app)
      throw accessDenied(`this certificate does not open application "${app}"`, {
        detail: `its route is ${describeRoute(identity) ?? "empty"}`,
      });
    locks.check(identity, clock.now());
    const served = view.appsNamed(app);
    if (served.length === 0)
      throw notFound(`no agent serves application "${app}"; start one, or check its name`);
    // Agents may label one application differently: it opens to those whom every label set allows.
    const holder = { roles: view.rolesOf(identity.roles), traits: identity.traits };
    for (const { metadata } of served)
      checkOpen("app", holder, { name: app, labels: metadata.labels });
  }
}
