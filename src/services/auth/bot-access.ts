import {
  lockTargetsOf,
  mayVerb,
  openableKinds,
  type Caller,
  type OpenableKind,
} from "#domain/access";
import { botUserName, type Bot } from "#domain/resources";
import type {
  GetBotAccessRequest,
  GetBotAccessResponseSchema,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { openOf, openSession } from "./bot-sessions.ts";
import { reachedOf, type Roles } from "./bot-reach.ts";
import type { AuthCall, AuthParts } from "./parts.ts";

/** A drawing with more of one column is none; the rest is counted. */
const MAX_ROLES = 30;
const MAX_SESSIONS = 40;

type Response = MessageInitShape<typeof GetBotAccessResponseSchema>;
type Parts = Pick<AuthParts, "resources" | "locks" | "clock" | "openSessions">;

/** Of all this, what the caller's roles show; the rest is named as hidden. */
export async function getBotAccess(
  parts: Parts,
  { bot: name }: Omit<GetBotAccessRequest, "$typeName">,
  { caller }: Pick<AuthCall, "caller">,
): Promise<Response> {
  const { resources } = parts;
  const bot = await resources.get("bot", name);
  if (!bot) throw await resources.missing("bot", name, mayVerb(caller, "bot", "list"));
  const hidden = hiddenFrom(caller);
  const shows = (what: string): boolean => !hidden.includes(what);
  const open = shows("event") ? openOf(parts, name) : [];
  const held = await rolesOf(parts, bot);
  const kinds = shows("role") ? openableKinds.filter(shows) : [];
  const used = new Set(open.map(({ app }) => app));
  const reached = await Promise.all(
    kinds.map((kind) => reachedOf(resources, kind, { ...held, used })),
  );
  const isLocked = (...targets: string[]): boolean =>
    shows("lock") && parts.locks.inForce(targets, parts.clock.now()) !== undefined;
  return {
    roles: bot.spec.roles.slice(0, MAX_ROLES).map((role) => ({
      name: role,
      missing: !held.roles.some(({ metadata }) => metadata.name === role),
      locked: isLocked(`role:${role}`),
    })),
    resources: reached.flatMap(({ shown }) => shown),
    sessions: open.slice(0, MAX_SESSIONS).map(openSession),
    totals: [
      { kind: "role", count: bot.spec.roles.length },
      ...reached.map(({ total }) => total),
      ...(shows("event") ? [{ kind: "session", count: open.length }] : []),
    ],
    hidden,
    locked: isLocked(...ownTargets(name)),
  };
}

/** What would stop the bot as a whole: its user, and the role that lets it use the others. */
function ownTargets(bot: string): string[] {
  const user = botUserName(bot);
  const own = { user, roles: [user], traits: {}, logins: [], allowReissue: true, expires: 0 };
  return [...lockTargetsOf(own)];
}

/** What a role opens is what the role says: who may not read roles is not shown it either. */
function hiddenFrom(caller: Caller): string[] {
  const lists = [...openableKinds, "event", "lock"] as const;
  return [
    ...(mayVerb(caller, "role", "read") ? [] : ["role"]),
    ...lists.filter((kind: OpenableKind | "event" | "lock") => !mayVerb(caller, kind, "list")),
  ];
}

/** Those that are there still, with the traits that the bot's certificates carry. */
async function rolesOf({ resources }: Parts, bot: Bot): Promise<Roles> {
  const [user, ...roles] = await Promise.all([
    resources.get("user", botUserName(bot.metadata.name)),
    ...bot.spec.roles.map(async (role) => await resources.get("role", role)),
  ]);
  return { roles: roles.filter((role) => role !== undefined), traits: user?.spec.traits ?? {} };
}
