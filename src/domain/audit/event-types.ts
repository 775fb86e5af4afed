import * as z from "zod";

/** Longer texts, which may come from strangers, are cut. */
const MAX_TEXT = 2_048;
/** Of a list in an event, such as roles, the rest is left out. */
const MAX_LIST = 100;

/** A text of an event, cut where it is too long. */
export const text = z
  .string()
  .transform((value) => (value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value));
const list = z
  .array(text)
  .transform((values) => values.slice(0, MAX_LIST))
  .default([]);
const count = z.int().min(0);

export type EventCode = "success" | "failure";

const success = <S extends z.ZodRawShape>(shape: S) => ({
  code: "success" as const,
  fields: z.strictObject(shape),
});
const failure = <S extends z.ZodRawShape>(shape: S) => ({
  code: "failure" as const,
  fields: z.strictObject(shape),
});

const created = success({ name: text });
/** `changed` lists paths such as `spec.roles`, never values. */
const updated = success({ name: text, changed: list });
const deleted = success({ name: text });

const joining = {
  token: text,
  join_method: text,
  /** Of the client, chosen by it. */
  attempt_id: text.optional(),
  /** What its platform said of it in an ID token, as `repository=octo/app`. */
  claims: z.array(text).optional(),
};
/** How a machine joined, by the methods that count that. */
const counted = {
  instance_id: text,
  previous_instance_id: text.optional(),
  recovery: z.boolean(),
  /** The reply to an earlier attempt was lost, and is made again. */
  repeated: z.boolean().default(false),
  generation: count,
  key_fingerprint: text.optional(),
  /** `reset` or `resync`: what an administrator opened, and this join used up. */
  allowed_by: text.optional(),
};
/** For which program of its machine a bot asked: what the bot says, which the cluster cannot check. */
const requester = z
  .strictObject({
    told_by: z.literal("bot").default("bot"),
    uid: count,
    pid: count,
    executable: text.optional(),
  })
  .optional();
/** What a certificate opens; `db_name` and `db_user` are empty where it leaves them open. */
const route = {
  app: text.optional(),
  db: text.optional(),
  db_name: text.optional(),
  db_user: text.optional(),
  kube_cluster: text.optional(),
};
const session = { session_id: text, app: text, host_id: text.optional() };

/**
 * Every type of event: what it tells beside id, time, actor and address, and whether it tells of a
 * success or a failure. Names of tokens that are secrets stand here only as `tokenDisplayName`.
 */
export const eventTypes = {
  "cluster.start": success({ version: text, cluster_name: text }),
  /** After a restore, tokens may be moved forward until then. */
  "cluster.resync.open": success({ until: text }),
  "cluster.resync.end": success({}),
  "cluster.backup": success({ file: text, bytes: count }),
  "cluster_config.create": created,
  "cluster_config.update": updated,
  "user.create": created,
  "user.update": updated,
  "user.delete": deleted,
  /** A link was made with which a person chooses how to sign in. */
  "user.invite": success({ name: text, purpose: text }),
  /** How a person signs in was changed: by such a link (`invitation`, `recovery`), or by the person. */
  "user.credentials": success({ name: text, methods: list, change: text.optional() }),
  "user.login": success({ name: text, method: text }),
  /** `name` is what was typed; somebody else's, or nobody's. */
  "user.login.failed": failure({ name: text, reason: text }),
  /** By the person, or by the cluster for one who was locked. */
  "user.logout": success({ name: text, sessions: count }),
  "role.create": created,
  "role.update": updated,
  "role.delete": deleted,
  "node.create": created,
  "node.update": updated,
  "node.delete": deleted,
  "db.create": created,
  "db.update": updated,
  "db.delete": deleted,
  "kube_cluster.create": created,
  "kube_cluster.update": updated,
  "kube_cluster.delete": deleted,
  "bot.create": success({ name: text, roles: list }),
  "bot.update": success({ name: text, roles: list, changed: list }),
  /** `tokens` and `instances` went with it. */
  "bot.delete": success({ name: text, tokens: count, instances: count }),
  "token.create": success({ name: text, join_method: text, roles: list, bot: text.optional() }),
  "token.update": success({
    name: text,
    join_method: text,
    roles: list,
    bot: text.optional(),
    changed: list,
  }),
  /** The bound key's next attempt is accepted; the locks that were in its way are gone. */
  "token.reset": success({ name: text, bot: text.optional(), locks: list }),
  /** A join left fewer recoveries than the cluster wants to hear of. */
  "token.recoveries.low": success({
    name: text,
    bot: text.optional(),
    left: count,
    limit: count,
    threshold: count,
  }),
  "token.delete": success({ name: text, join_method: text, bot: text.optional() }),
  "lock.create": success({
    name: text,
    target: text,
    message: text.optional(),
    expires: text.optional(),
  }),
  "lock.update": success({ name: text, target: text, changed: list }),
  "lock.delete": success({ name: text, target: text }),
  "bot.join": success({ ...joining, ...counted, bot: text }),
  /** `lock` is the one that the failure made. */
  "bot.join.failed": failure({
    ...joining,
    bot: text.optional(),
    instance_id: text.optional(),
    reason: text,
    lock: text.optional(),
  }),
  "agent.join": success({
    ...joining,
    ...z.object(counted).partial().shape,
    host_id: text,
    roles: list,
  }),
  /** `lock` as in `bot.join.failed`. */
  "agent.join.failed": failure({
    ...joining,
    host_id: text.optional(),
    roles: list,
    instance_id: text.optional(),
    reason: text,
    lock: text.optional(),
  }),
  "cert.issue": success({
    roles: list,
    ...route,
    ttl_seconds: count,
    key_fingerprint: text.optional(),
    allow_reissue: z.boolean().default(false),
    requester,
  }),
  "cert.issue.denied": failure({ roles: list, ...route, reason: text, requester }),
  "app.session.start": success(session),
  "app.session.end": success({
    ...session,
    /** From the client to the application. */
    bytes_up: count,
    bytes_down: count,
    duration_ms: count,
    reason: text.optional(),
  }),
  "app.session.denied": failure({ app: text, host_id: text.optional(), reason: text }),
  "auth.denied": failure({ rpc: text, reason: text }),
  "limit.exceeded": failure({ limit: text, rpc: text.optional() }),
  "ca.create": success({ authority: text, fingerprint: text }),
  /** Of one authority, from one phase of a rotation to the next. */
  "ca.rotate": success({
    authority: text,
    from: text,
    phase: text,
    mode: text,
    old_fingerprint: text,
    new_fingerprint: text,
  }),
  "ca.export": success({ authority: text, format: text.optional() }),
  /** The events of this filter were taken out as a file. */
  "audit.export": success({
    /** Empty: from the beginning. */
    from: text,
    to: text,
    /** As `bot=robot`: it is no event of that bot. */
    filter: list,
  }),
  /** The log itself refused this many events while its queue was full. */
  "audit.gap": failure({ refused: count }),
} as const;

export type EventType = keyof typeof eventTypes;

export const isEventType = (type: string): type is EventType => Object.hasOwn(eventTypes, type);
