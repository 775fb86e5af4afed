import type { Clock, CodedError, Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import type { BackedUpStore, Store } from "#base/storage";
import type { Caller, LockSet } from "#domain/access";
import type { AuditLog } from "#domain/audit";
import type { Authorities, VerifiedCertificate } from "#domain/authority";
import type { ClusterConfig, Resources } from "#domain/resources";
import type { SignIn } from "#domain/sign-in";

/** What the RPCs of the authority are built from. */
export interface AuthParts {
  readonly store: Store;
  readonly resources: Resources;
  readonly authorities: Authorities;
  readonly audit: AuditLog;
  readonly signIn: SignIn;
  /** In step with the store. */
  readonly locks: LockSet;
  /** The settings of the cluster, as of now. */
  readonly settings: () => Promise<ClusterConfig["spec"]>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: AuthConfig;
  /** Of a store that is embedded in this process. */
  readonly backup?: BackedUpStore["backup"] | undefined;
  /** What the proxy carries now. */
  readonly openSessions: () => readonly OpenSession[];
}

/** A connection to an application that goes on. */
export interface OpenSession {
  readonly id: string;
  readonly app: string;
  /** Of a bot. */
  readonly bot?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly remoteAddr: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** So far: from the client, and to it. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** What the process knows of itself and tells its callers. */
export interface AuthConfig {
  readonly version: string;
  /** Where clients outside should connect, `host:port`. */
  readonly proxyPublicAddr: string;
}

/** One call that was let in: who makes it, and from where. */
export interface AuthCall {
  /** At a call that is open to everyone `anonymous`, whatever certificate there is. */
  readonly caller: Caller;
  /** Verified; absent for strangers and for the local administrator. */
  readonly certificate?: VerifiedCertificate;
  /** IP address; `local` for the local administrator. */
  readonly remoteAddr: string;
  /** Aborts when the caller goes, at the deadline, and when a lock or an expiry cuts the call. */
  readonly signal: AbortSignal;
  /** Ends the call at once with this error. */
  readonly end: (error: CodedError) => void;
}
