import { sessionEnd, sessionsPage, type RecordedSession } from "#domain/audit";
import type { PageTokens } from "#domain/resources";
import type {
  BotSessionSchema,
  ListBotSessionsRequest,
  ListBotSessionsResponseSchema,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthParts, OpenSession } from "./parts.ts";

/** Of the first page; more at once are a fleet, and counted. */
const MAX_OPEN = 100;

type Session = MessageInitShape<typeof BotSessionSchema>;
type Parts = Pick<AuthParts, "store" | "audit" | "openSessions"> & { readonly tokens: PageTokens };

/** What the proxy carries is open; what was begun and neither ended nor is carried was lost. */
export async function listBotSessions(
  parts: Parts,
  { bot, pageSize, pageToken }: Omit<ListBotSessionsRequest, "$typeName">,
): Promise<MessageInitShape<typeof ListBotSessionsResponseSchema>> {
  const page = await sessionsPage(parts, { bot, pageSize, pageToken });
  // Read after the page: what began before it and is not here has ended.
  const open = openOf(parts, bot);
  const ids = new Set(open.map(({ id }) => id));
  const past = page.sessions.filter(({ id }) => !ids.has(id));
  const shown = pageToken === "" ? open.slice(0, MAX_OPEN).map(openSession) : [];
  return {
    sessions: [...shown, ...(await settled(parts, past)).map(pastSession)],
    nextPageToken: page.nextPageToken ?? "",
    open: open.length,
  };
}

/** Of one bot, the newest first. */
export const openOf = (
  { openSessions }: Pick<AuthParts, "openSessions">,
  bot: string,
): readonly OpenSession[] =>
  openSessions()
    .filter((session) => session.bot === bot)
    .toSorted((a, b) => b.startedAt - a.startedAt);

/** The end of one that has just ended may still be on its way to the store. */
async function settled(
  { audit, store }: Parts,
  sessions: readonly RecordedSession[],
): Promise<readonly RecordedSession[]> {
  if (sessions.every(({ end }) => end)) return sessions;
  await audit.flush();
  return await Promise.all(
    sessions.map(async (session) => ({
      ...session,
      end: session.end ?? (await sessionEnd(store, session.id)),
    })),
  );
}

export const openSession = (session: OpenSession): Session => ({
  id: session.id,
  app: session.app,
  instanceId: session.instanceId ?? "",
  remoteAddr: session.remoteAddr,
  startedAt: BigInt(session.startedAt),
  state: "open",
  bytesUp: BigInt(session.bytesUp),
  bytesDown: BigInt(session.bytesDown),
});

function pastSession({ end, startedAt, ...about }: RecordedSession): Session {
  const common = { ...about, startedAt: BigInt(startedAt) };
  if (!end) return { ...common, state: "lost" };
  return {
    ...common,
    state: "ended",
    endedAt: BigInt(end.at),
    bytesUp: BigInt(end.bytesUp),
    bytesDown: BigInt(end.bytesDown),
    reason: end.reason,
  };
}
