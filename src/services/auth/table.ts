import type { DescService } from "@bufbuild/protobuf";
import type { Caller } from "#domain/access";
import type { RuleResource, SystemRole, Verb } from "#domain/resources";
import type { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import type { JoinService } from "@tenon/api/tenon/join/v1/join";
import type { ResourceService } from "@tenon/api/tenon/resource/v1/resource";

/** What a call can come from. */
export const callerKinds = [
  /** No certificate, or one that TLS did not accept. */
  "anonymous",
  /** A bot with its own identity. */
  "bot",
  /** A bot with an output that was made from it. */
  "bot_output",
  /** A person. */
  "user",
  /** An application agent. */
  "app",
  "proxy",
  /** Agents of other services. */
  "host",
  /** At the cluster's own local socket. */
  "admin",
] as const;
export type CallerKind = (typeof callerKinds)[number];

/** One kind, save for hosts with several roles. */
export function kindsOfCaller(caller: Caller): readonly CallerKind[] {
  if (caller.kind === "host") return caller.identity.roles.map((role) => hostKinds[role] ?? "host");
  if (caller.kind !== "user") return [caller.kind];
  const { botName, generation } = caller.identity;
  if (botName === undefined) return ["user"];
  return [generation === undefined ? "bot_output" : "bot"];
}

const hostKinds: Partial<Record<SystemRole, CallerKind>> = { App: "app", Proxy: "proxy" };

/** Who may make a call, before the call itself looks at what it is about. */
export interface RpcRule {
  readonly callers: readonly CallerKind[];
  /** `open`: nothing hangs on who calls, so neither identity nor locks are looked at. */
  readonly open?: true;
  /** What the roles of the caller must allow; `documents`: the call asks for each document. */
  readonly rule?: { readonly resource: RuleResource; readonly verb: Verb } | "documents";
  /** The call writes its own refusals to the audit log. */
  readonly tells?: true;
}

const certified = ["bot", "bot_output", "user", "app", "proxy", "host"] as const;
const agents = ["app", "proxy", "host"] as const;
const open = { callers: callerKinds, open: true } as const;
const documents = { callers: [...certified, "admin"], rule: "documents" } as const;
const people = ["bot", "bot_output", "user", "admin"] as const;

/** One method of the table; `path` is `tenon.auth.v1.AuthService/Ping`. */
export interface TableRow {
  readonly path: string;
  readonly streams: boolean;
  readonly rule: RpcRule;
}

/** The rows of one service; throws when a method has none: an RPC that nobody thought about. */
export function rowsOf(service: DescService): readonly TableRow[] {
  const rules: Record<string, Record<string, RpcRule>> = rpcTable;
  return service.methods.map((method) => {
    const path = `${service.typeName}/${method.name}`;
    const rule = rules[service.typeName]?.[method.localName];
    if (!rule) throw new TypeError(`${path} has no row in the table of RPCs`);
    return { path, rule, streams: method.methodKind !== "unary" };
  });
}

type Methods<S extends { method: object }> = { readonly [K in keyof S["method"]]: RpcRule };

/**
 * Every RPC of the authority, and who may call it. Those open to everyone are ping, trust and join
 * (which finds out by itself who joins, and looks at locks when its caller has proven something).
 */
export const rpcTable: {
  readonly "tenon.join.v1.JoinService": Methods<typeof JoinService>;
  readonly "tenon.auth.v1.AuthService": Methods<typeof AuthService>;
  readonly "tenon.resource.v1.ResourceService": Methods<typeof ResourceService>;
} = {
  "tenon.join.v1.JoinService": { join: { ...open, tells: true } },
  "tenon.auth.v1.AuthService": {
    ping: open,
    getTrust: open,
    issueCertificates: { callers: ["bot", "bot_output", "user"], tells: true },
    listOpen: { callers: ["bot", "bot_output", "user"] },
    submitHeartbeat: { callers: ["bot"] },
    announceApps: { callers: ["app"] },
    watchLocks: { callers: [...agents, "bot", "admin"] },
    watchTrust: { callers: [...agents, "bot", "admin"] },
    exportAuthority: { callers: people, rule: { resource: "authority_export", verb: "read" } },
    searchEvents: { callers: people, rule: { resource: "event", verb: "list" } },
    watchEvents: { callers: people, rule: { resource: "event", verb: "list" } },
    exportEvents: { callers: people, rule: { resource: "event", verb: "list" } },
    listBotInstances: { callers: people, rule: { resource: "bot_instance", verb: "list" } },
    getBotActivity: { callers: people, rule: { resource: "event", verb: "list" } },
    listBotSessions: { callers: people, rule: { resource: "event", verb: "list" } },
    getBotAccess: { callers: people, rule: { resource: "bot", verb: "read" } },
    getStatus: { callers: people, rule: { resource: "status", verb: "read" } },
    rotateAuthority: { callers: people, rule: { resource: "cert_authority", verb: "update" } },
    resetBoundKeypair: { callers: people, rule: { resource: "token", verb: "update" } },
    inviteUser: { callers: ["user", "admin"], rule: { resource: "user", verb: "update" } },
    listAlerts: { callers: people, rule: { resource: "status", verb: "read" } },
    setResyncWindow: { callers: ["admin"] },
    backup: { callers: ["admin"] },
  },
  "tenon.resource.v1.ResourceService": {
    get: documents,
    list: documents,
    tally: documents,
    create: documents,
    update: documents,
    upsert: documents,
    delete: documents,
    watch: documents,
  },
};
