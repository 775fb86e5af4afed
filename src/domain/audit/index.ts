export { AuditLog } from "./audit-log.ts";
export { MAX_QUEUED } from "./event-queue.ts";
export { eventTypes, isEventType, type EventType } from "./event-types.ts";
export {
  actorOf,
  auditWrite,
  DEFAULT_RETENTION_MS,
  EVENT_KIND,
  eventIndexes,
  systemActor,
  type Actor,
  type AuditEvent,
  type EventDraft,
} from "./event.ts";
export type { EventQuery } from "./search.ts";
