import type { Clock, Logger } from "#base/kernel";
import type { Store } from "#base/storage";
import type { LockSet } from "#domain/access";
import type { AuditLog } from "#domain/audit";
import type { Authorities } from "#domain/authority";
import type { ClusterConfig, Resources } from "#domain/resources";
import type { KeySet } from "./methods/oidc/key-set.ts";

/** Where the keys of OpenID Connect issuers come from: this floor opens no sockets. */
export interface IssuerKeys {
  /**
   * The keys that the issuer publishes, from memory while they are fresh and `kid` is among them.
   * Rejects with `unavailable` when the issuer does not answer as it should.
   */
  find(issuer: string, kid: string | undefined): Promise<KeySet>;
}

/** What the server's half of joining works with. */
export interface JoinDependencies {
  readonly store: Store;
  readonly resources: Resources;
  readonly authorities: Pick<
    Authorities,
    "trust" | "issueUser" | "issueHost" | "signJoinState" | "verifyJoinState" | "outdatedJoinState"
  >;
  readonly audit: Pick<AuditLog, "write">;
  /** Kept in step with the store by whoever owns it. */
  readonly locks: Pick<LockSet, "inForce">;
  /** The settings of the cluster, as of now. */
  readonly config: () => Promise<ClusterConfig["spec"]>;
  readonly issuers: IssuerKeys;
  readonly clock: Clock;
  readonly logger: Logger;
}
