export { AuditLog } from "./audit-log.ts";
export { MAX_QUEUED, type EventQueueOptions } from "./event-queue.ts";
export { eventTypes, isEventType, type EventCode, type EventType } from "./event-types.ts";
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
export type { EventPage, EventQuery } from "./search.ts";
