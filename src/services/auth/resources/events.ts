import { actorOf, type EventDraft } from "#domain/audit";
import {
  lockTargetKey,
  tokenDisplayName,
  type AnyResource,
  type Bot,
  type Lock,
  type Token,
} from "#domain/resources";
import type { Change, Removal } from "./kind-rules.ts";
import type { ResourceCall } from "./call.ts";

type BodyOf<E> = E extends EventDraft ? Omit<E, "actor" | "remoteAddr"> : never;
/** An event without who and where from. */
type Body = BodyOf<EventDraft>;

type By = Pick<ResourceCall, "caller" | "remoteAddr">;

/** The event of a document that is created or updated; none for kinds that only the server writes. */
export function eventOfChange({ resource, existing }: Change, by: By): EventDraft | undefined {
  const body = existing ? updated(resource, changedPaths(existing, resource)) : created(resource);
  return body && { ...body, ...authorOf(by) };
}

export function eventOfRemoval(
  resource: AnyResource,
  removal: Removal,
  by: By,
): EventDraft | undefined {
  const body = removed(resource, removal);
  return body && { ...body, ...authorOf(by) };
}

const authorOf = ({ caller, remoteAddr }: By) => ({ actor: actorOf(caller), remoteAddr });

function created(resource: AnyResource): Body | undefined {
  const { name } = resource.metadata;
  if (resource.kind === "bot") return { type: "bot.create", fields: botFields(resource) };
  if (resource.kind === "token") return { type: "token.create", fields: tokenFields(resource) };
  if (resource.kind === "lock") return { type: "lock.create", fields: lockFields(resource) };
  return isPlain(resource.kind) ? { type: `${resource.kind}.create`, fields: { name } } : undefined;
}

function updated(resource: AnyResource, changed: string[]): Body | undefined {
  const { name } = resource.metadata;
  if (resource.kind === "bot")
    return { type: "bot.update", fields: { ...botFields(resource), changed } };
  if (resource.kind === "token")
    return { type: "token.update", fields: { ...tokenFields(resource), changed } };
  if (resource.kind === "lock")
    return { type: "lock.update", fields: { name, target: lockTargetKey(resource), changed } };
  return isPlain(resource.kind)
    ? { type: `${resource.kind}.update`, fields: { name, changed } }
    : undefined;
}

function removed(resource: AnyResource, { tokens, instances }: Removal): Body | undefined {
  const { name } = resource.metadata;
  if (resource.kind === "bot") return { type: "bot.delete", fields: { name, tokens, instances } };
  if (resource.kind === "token") return tokenDeleted(resource);
  if (resource.kind === "lock")
    return { type: "lock.delete", fields: { name, target: lockTargetKey(resource) } };
  return isPlain(resource.kind) && resource.kind !== "cluster_config"
    ? { type: `${resource.kind}.delete`, fields: { name } }
    : undefined;
}

/** Kinds of which an event tells the name, and what changed. */
const plainKinds = ["user", "role", "node", "db", "kube_cluster", "cluster_config"] as const;
type PlainKind = (typeof plainKinds)[number];
const isPlain = (kind: AnyResource["kind"]): kind is PlainKind =>
  plainKinds.some((plain) => plain === kind);

export function tokenDeleted(token: Token): BodyOf<Extract<EventDraft, { type: "token.delete" }>> {
  const { roles: _, ...fields } = tokenFields(token);
  return { type: "token.delete", fields };
}

const botFields = ({ metadata, spec }: Bot) => ({ name: metadata.name, roles: spec.roles });

const tokenFields = (token: Token) => ({
  name: tokenDisplayName(token),
  join_method: token.spec.join_method,
  roles: token.spec.roles,
  ...(token.spec.bot_name ? { bot: token.spec.bot_name } : {}),
});

const lockFields = (lock: Lock) => ({
  name: lock.metadata.name,
  target: lockTargetKey(lock),
  ...(lock.spec.message ? { message: lock.spec.message } : {}),
  ...(lock.spec.expires ? { expires: lock.spec.expires } : {}),
});

/** Paths of what differs between two documents, such as `spec.roles`; never values. */
function changedPaths(before: AnyResource, after: AnyResource): string[] {
  return [
    ...differences(plain(before.metadata), plain(after.metadata), "metadata"),
    ...differences(plain(before.spec), plain(after.spec), "spec"),
  ].filter((path) => path !== "metadata.revision");
}

function differences(before: unknown, after: unknown, path: string): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [path];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(before[name], after[name], `${path}.${name}`));
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
