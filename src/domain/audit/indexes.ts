import type { IndexDefinition } from "#base/storage";
import { activityKeysOf, ACTIVITY_INDEX } from "./activity.ts";
import { botsOf, eventIndex, sessionsOf, usersOf } from "./event.ts";

/** What a store must index for the audit log, beside `storeIndexes` of the resources. */
export const eventIndexes: readonly IndexDefinition[] = [
  eventIndex("type", (event) => [event.type]),
  eventIndex("bot", botsOf),
  eventIndex("user", usersOf),
  eventIndex("session", sessionsOf),
  // Most events tell of a success: these are found without an index of theirs.
  eventIndex("code", (event) => (event.code === "failure" ? [event.code] : [])),
  eventIndex(ACTIVITY_INDEX, activityKeysOf),
];
