import { badParameter, type Clock } from "#base/kernel";
import type { IndexDefinition, Item, JsonObject, Write } from "#base/storage";
import type { Caller } from "#domain/access";
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { eventTypes, text, type EventCode, type EventType } from "./event-types.ts";

const actorSchema = z.strictObject({
  /** `admin` is the cluster's own local socket; `system` the cluster itself. */
  kind: z.enum(["user", "bot", "host", "admin", "anonymous", "system"]),
  /** Of the user or bot, or the host's id; empty for the rest. */
  name: text,
  /** Of a bot. */
  instance_id: text.optional(),
});

export type Actor = z.infer<typeof actorSchema>;
export const systemActor: Actor = { kind: "system", name: "" };

/** What happened, before it has an id and a time. */
export type EventDraft = {
  [T in EventType]: {
    readonly type: T;
    readonly actor: Actor;
    /** `host:port` of the client; absent for what the cluster does by itself. */
    readonly remoteAddr?: string | undefined;
    readonly fields: z.input<(typeof eventTypes)[T]["fields"]>;
  };
}[EventType];

/** An event as it is stored and shown. */
export interface AuditEvent {
  /** UUID version 7: sorts by time. */
  readonly id: string;
  /** RFC 3339, milliseconds. */
  readonly time: string;
  readonly type: EventType;
  readonly code: EventCode;
  readonly actor: Actor;
  readonly remote_addr: string;
  readonly fields: JsonObject;
}

export const EVENT_KIND = "event";
/** 90 days, as `cluster_config` has it when it does not say. */
export const DEFAULT_RETENTION_MS = 90 * 86_400_000;

export function actorOf(caller: Caller): Actor {
  if (caller.kind === "host") return { kind: "host", name: caller.identity.hostId };
  if (caller.kind !== "user") return { kind: caller.kind, name: "" };
  const { user, botName, botInstanceId } = caller.identity;
  if (!botName) return { kind: "user", name: user };
  return {
    kind: "bot",
    name: botName,
    ...(botInstanceId ? { instance_id: botInstanceId } : {}),
  };
}

export interface Stamp {
  readonly clock: Clock;
  /** How long the event is kept; default `DEFAULT_RETENTION_MS`. */
  readonly retentionMs?: number | undefined;
  /** Default: `eventId` of now. */
  readonly id?: string;
}

/** The write of an event, for the same commit as what it records. */
export function auditWrite(draft: EventDraft, stamp: Stamp): Write {
  const now = stamp.clock.now();
  const event: AuditEvent = {
    id: stamp.id ?? eventId(now),
    time: new Date(now).toISOString(),
    type: draft.type,
    code: eventTypes[draft.type].code,
    actor: actorSchema.parse(draft.actor),
    remote_addr: draft.remoteAddr ?? "",
    fields: fieldsOf(draft),
  };
  return {
    op: "put",
    kind: EVENT_KIND,
    name: event.id,
    value: event as unknown as JsonObject,
    expires: now + (stamp.retentionMs ?? DEFAULT_RETENTION_MS),
  };
}

const fieldsOf = (draft: EventDraft): JsonObject =>
  eventTypes[draft.type].fields.parse(draft.fields);

/** RFC 9562, version 7: `order` (12 bits) sorts ids of one millisecond; random without it. */
export function eventId(ms: number, order?: number): string {
  const random = randomUUID();
  const third = order === undefined ? random.slice(15, 18) : order.toString(16).padStart(3, "0");
  return `${timePrefix(ms)}-7${third}${random.slice(18)}`;
}

/** Where the ids of a millisecond begin: the first 48 bits. */
export function timePrefix(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0");
  if (hex.length > 12) throw badParameter(`"${ms}" is not a time in milliseconds since 1970`);
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

export const eventOf = (item: Item): AuditEvent => item.value as unknown as AuditEvent;

/** The bots that an event is about: who did it, and to whom. */
export function botsOf(event: AuditEvent): readonly string[] {
  const named = event.type.startsWith("bot.") ? event.fields.name : undefined;
  return texts([
    event.fields.bot,
    named,
    event.actor.kind === "bot" ? event.actor.name : undefined,
  ]);
}

export function usersOf(event: AuditEvent): readonly string[] {
  const named = event.type.startsWith("user.") ? event.fields.name : undefined;
  return texts([named, event.actor.kind === "user" ? event.actor.name : undefined]);
}

/** Of a connection to an application: its start and its end. */
export const sessionsOf = (event: AuditEvent): readonly string[] =>
  texts([event.fields.session_id]);

const texts = (values: readonly unknown[]): readonly string[] => [
  ...new Set(values.filter((value): value is string => typeof value === "string" && value !== "")),
];

/** No bot, user or type has a longer name, and the store takes no keys of any length. */
const MAX_INDEXED = 256;

export const eventIndex = (
  name: string,
  keys: (event: AuditEvent) => readonly string[],
): IndexDefinition => ({
  kind: EVENT_KIND,
  name,
  version: 1,
  key: (value) => {
    const event = value as unknown as AuditEvent;
    return keys(event).map((key) => indexKey(key.slice(0, MAX_INDEXED), event.id));
  },
});

/** `<what>/<id>`: the events of one type, bot or user, in order of time. */
export const indexKey = (what: string, id: string): string => `${what}/${id}`;
