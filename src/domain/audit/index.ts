export { AuditLog } from "./audit-log.ts";
export { countActivity } from "./activity.ts";
export { MAX_QUEUED } from "./event-queue.ts";
export { eventTypes, isEventType, type EventCode, type EventType } from "./event-types.ts";
export {
  actorOf,
  auditWrite,
  botsOf,
  DEFAULT_RETENTION_MS,
  EVENT_KIND,
  eventId,
  eventOf,
  systemActor,
  usersOf,
  type Actor,
  type AuditEvent,
  type EventDraft,
} from "./event.ts";
export { eventIndexes } from "./indexes.ts";
export { checkFilter, matchesEvent, type EventQuery } from "./search.ts";
export { sessionEnd, sessionsPage, type RecordedSession, type SessionQuery } from "./sessions.ts";
