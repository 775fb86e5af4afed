import type { Clock } from "#base/kernel";
import type { Store } from "#base/storage";
import type { Caller } from "#domain/access";
import type { AuditLog } from "#domain/audit";
import type { Resources } from "#domain/resources";

/** Who calls, and from where: what the resource RPCs know beside the request. */
export interface ResourceCall {
  readonly caller: Caller;
  readonly remoteAddr: string;
  /** Ends a watch. */
  readonly signal: AbortSignal;
}

/** What the resource RPCs are built from. */
export interface ResourceServiceParts {
  readonly store: Store;
  readonly resources: Resources;
  readonly audit: AuditLog;
  readonly clock: Clock;
}
