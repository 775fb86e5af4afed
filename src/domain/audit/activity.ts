import type { Store } from "#base/storage";
import { botsOf, EVENT_KIND, indexKey, timePrefix, type AuditEvent } from "./event.ts";

/** What a bot does, as far as the cluster sees it. */
export const activities = [
  "join",
  "refresh",
  "recovery",
  "certificate",
  "connection",
  "failure",
] as const;
export type Activity = (typeof activities)[number];

export const ACTIVITY_INDEX = "activity";

/** `<bot>/<activity>`, for each bot that the event is about. */
export function activityKeysOf(event: AuditEvent): readonly string[] {
  const activity = activityOf(event);
  return activity ? botsOf(event).map((bot) => keyOf(bot, activity)) : [];
}

const keyOf = (bot: string, activity: Activity): string => `${bot}/${activity}`;

/** A reply that was lost and made again is the same join: it counts once. */
function activityOf({ type, code, fields }: AuditEvent): Activity | undefined {
  if (code === "failure") return "failure";
  if (type === "cert.issue") return "certificate";
  if (type === "app.session.start") return "connection";
  if (type !== "bot.join" || fields.repeated === true) return undefined;
  if (fields.recovery !== true) return "refresh";
  return fields.previous_instance_id === undefined ? "join" : "recovery";
}

export interface ActivityQuery {
  readonly bot: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly stepMs: number;
  readonly steps: number;
}

/** How often the bot did each, step by step; counted in an index, so exact at any number of events. */
export async function countActivity(
  store: Pick<Store, "count">,
  query: ActivityQuery,
): Promise<Record<Activity, number[]>> {
  const counted = activities.map(
    async (activity) => [activity, await countSteps(store, query, activity)] as const,
  );
  return Object.fromEntries(await Promise.all(counted)) as Record<Activity, number[]>;
}

async function countSteps(
  store: Pick<Store, "count">,
  { bot, from, stepMs, steps }: ActivityQuery,
  activity: Activity,
): Promise<number[]> {
  const at = (step: number): string =>
    indexKey(keyOf(bot, activity), timePrefix(from + step * stepMs));
  return await Promise.all(
    Array.from({ length: steps }, (_, step) =>
      store.count({
        kind: EVENT_KIND,
        index: ACTIVITY_INDEX,
        from: at(step),
        to: at(step + 1),
        // An event has one key for a bot and what the bot did.
        each: "key",
      }),
    ),
  );
}

/** Where the starts of a bot's connections stand, in the order of time. */
export const connectionsOf = (bot: string): string => indexKey(keyOf(bot, "connection"), "");
