import { AuthService, type EventNews } from "@tenon/api/tenon/auth/v1/auth";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import { codeOf, deadline, messageOf } from "#base/kernel";
import type { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { PersonCalls } from "../caller.ts";
import { Gathered, type Changed } from "../gathered.ts";
import { newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

/** What a page follows; a viewer whose roles do not show a kind hears nothing of it. */
const followed = [
  "bot",
  "bot_instance",
  "lock",
  "token",
  "user",
  "role",
  "app",
  "node",
  "db",
  "kube_cluster",
  "cluster_config",
] as const;
/** A stream ends after this time and the page opens another: a session that ended does not linger. */
const LONGEST_MS = 15 * 60_000;

/**
 * One stream of server-sent events for a page: of which kind and name what changed is, and of which types,
 * bots and users there are new events in the audit log, and never what any of it holds; the page then
 * asks for what it shows, and sees what its viewer may see.
 */
export function liveRoutes(parts: WebParts): Hono<WebEnv> {
  return newApp().get("/v1/webapi/sites/:site/live", (context) => {
    const { origin } = new PersonCalls(parts, context);
    return streamSSE(context, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      using limit = deadline(
        parts.clock,
        LONGEST_MS,
        AbortSignal.any([origin.signal, gone.signal]),
      );
      const say = async (event: string, data: object): Promise<void> =>
        await stream.writeSSE({ event, data: JSON.stringify(data) });
      const watched = { ...origin, signal: limit.signal };
      const follow = async (kind: string, tell: () => Promise<void>): Promise<void> => {
        try {
          await tell();
        } catch (error) {
          if (codeOf(error) === "access_denied") return await say("hidden", { kind });
          if (!limit.signal.aborted) await say("ended", { kind, reason: messageOf(error) });
        }
      };
      const tell = async (changed: Changed): Promise<void> => await say("changed", changed);
      const gathered = new Gathered({ clock: parts.clock, signal: limit.signal, tell });
      const changes = async (kind: string): Promise<void> => {
        for await (const { event } of parts.calls.stream(watch, { kinds: [kind] }, watched)) {
          if (event.case === "put") gathered.add(kind, nameIn(event.value.json));
          if (event.case === "deleted") gathered.add(kind, shown(kind, event.value.name));
        }
      };
      const events = async (): Promise<void> => {
        for await (const news of parts.calls.stream(watchEvents, {}, watched))
          if (news.count > 0 || news.all) await say("events", newsOf(news));
      };
      await say("ready", {});
      await Promise.all([
        ...followed.map((kind) => follow(kind, () => changes(kind))),
        follow("event", events),
      ]);
    });
  });
}

const { watch } = ResourceService.method;
const { watchEvents } = AuthService.method;

const newsOf = ({ count, types, bots, users, all }: EventNews): object => ({
  count,
  types,
  bots,
  users,
  all,
});

function nameIn(json: string): string {
  const { kind, metadata } = JSON.parse(json) as { kind: string; metadata: { name: string } };
  return shown(kind, metadata.name);
}

/** The name of a token may be its secret. */
const shown = (kind: string, name: string): string => (kind === "token" ? "" : name);
