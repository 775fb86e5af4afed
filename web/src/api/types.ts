/** What the endpoints answer; `/v1/webapi/openapi.json` describes the same. */

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_key: string;
}

export interface ViewerContext {
  readonly user: string;
  readonly cluster: string;
  readonly version: string;
  readonly roles: readonly string[];
  readonly access: Readonly<Record<string, readonly string[]>>;
}

export interface Trait {
  readonly name: string;
  readonly values: readonly string[];
}

export interface Bot {
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly roles: readonly string[];
  readonly traits: readonly Trait[];
  readonly max_session_ttl: string;
  readonly user_name: string;
  readonly role_name: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly revision: string;
}

export interface Instance {
  readonly bot_name: string;
  readonly instance_id: string;
  readonly last_active_at: string;
  readonly first_seen_at: string;
  readonly hostname: string;
  readonly join_method: string;
  readonly version: string;
  readonly os: string;
  readonly generation: number;
  /** Empty where it is not known. */
  readonly credentials_end: string;
  readonly health: string;
}

/** What a bot did, step by step. */
export interface Activity {
  readonly range: string;
  readonly from: string;
  readonly step_seconds: number;
  readonly lines: readonly { readonly activity: string; readonly counts: readonly number[] }[];
}

/** A connection of a bot to an application. */
export interface Session {
  readonly id: string;
  readonly app: string;
  readonly instance_id: string;
  readonly remote_addr: string;
  readonly started_at: string;
  /** open, ended, or lost. */
  readonly state: string;
  readonly ended_at: string;
  readonly bytes_up: number;
  readonly bytes_down: number;
  readonly reason: string;
}

export interface AccessGraph {
  readonly roles: readonly {
    readonly name: string;
    readonly missing: boolean;
    readonly locked: boolean;
  }[];
  readonly resources: readonly {
    readonly kind: string;
    readonly name: string;
    readonly roles: readonly string[];
    readonly together: boolean;
    readonly denied_by: readonly string[];
  }[];
  readonly sessions: readonly Session[];
  readonly totals: Readonly<Record<string, { readonly count: number; readonly partial: boolean }>>;
  readonly hidden: readonly string[];
  readonly locked: boolean;
}

export interface ValueCount {
  readonly value: string;
  readonly count: number;
}

export interface InstanceSummary {
  readonly total: number;
  readonly version: readonly ValueCount[];
  readonly health: readonly ValueCount[];
  readonly os: readonly ValueCount[];
  readonly join_method: readonly ValueCount[];
}

export interface Token {
  /** For `/tokens/$name`; not the name where that is the secret. */
  readonly id: string;
  readonly name: string;
  readonly join_method: string;
  readonly roles: readonly string[];
  readonly bot_name: string;
  readonly expires: string;
  /** Of bound_keypair: unused, bound, reset or rotation due; an older proxy does not say. */
  readonly state?: string;
  readonly recoveries_left?: number;
  readonly recovery_limit?: number;
  readonly lock_targets?: readonly string[];
}

export interface Lock {
  readonly name: string;
  /** `kind:name`, as it is found by; an older proxy does not say. */
  readonly key?: string;
  readonly targets: Readonly<Record<string, string>>;
  readonly message: string;
  readonly expires: string;
  readonly created_at: string;
  readonly created_by: string;
}

export interface AuditEvent {
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly code: "success" | "failure";
  readonly actor: {
    readonly kind: string;
    readonly name: string;
    readonly instance_id?: string;
  };
  readonly remote_addr: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Authentication {
  readonly time: string;
  readonly join_method: string;
  readonly generation: number;
  readonly remote_addr: string;
  readonly recovery: boolean;
  readonly expires?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface Heartbeat {
  readonly time: string;
  readonly version: string;
  readonly hostname: string;
  readonly os: string;
  readonly architecture: string;
  readonly uptime_seconds: number;
  readonly one_shot: boolean;
  readonly kind: string;
  readonly configuration: string;
}

export interface ServiceHealth {
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly updated_at: string;
}

export interface InstanceStatus {
  readonly latest_authentications: readonly Authentication[];
  readonly latest_heartbeats: readonly Heartbeat[];
  readonly service_health: readonly ServiceHealth[];
  readonly notices: readonly string[];
}

export interface InstanceDetails {
  readonly summary: Instance;
  /** Of a bound key that is counted, where the viewer may read tokens. */
  readonly recoveries?: { readonly left: number; readonly limit: number };
  readonly document: {
    readonly spec: { readonly previous_instance_id?: string };
    readonly status?: InstanceStatus;
  };
}

export interface Document {
  readonly kind: string;
  readonly version: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly description?: string;
    readonly expires?: string;
    readonly revision?: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface ClusterStatus {
  readonly cluster: string;
  readonly version: string;
  readonly proxy_public_addr: string;
  readonly ca_pins: readonly string[];
  readonly started_at: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly authorities: readonly AuthorityStatus[];
  readonly resync_until: string;
}

export interface AuthorityStatus {
  readonly type: string;
  readonly phase: string;
  readonly fingerprint: string;
  readonly not_after: string;
  readonly rotation?: {
    readonly mode: string;
    readonly started_at: string;
    readonly phase_since: string;
    readonly next_phase_at: string;
    readonly behind: number;
  };
}

export interface ClusterAlert {
  readonly type: string;
  readonly severity: string;
  readonly subject: string;
  readonly message: string;
}
