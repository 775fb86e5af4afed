import type { Change, Item } from "#base/storage";
import type { User } from "#domain/resources";
import type { SignInParts } from "./parts.ts";
import { SESSION_KIND, sessionOf, type Session } from "./sessions.ts";

/** What an open page must hear of its session. */
export type SessionNews =
  /** What the person may do has changed, perhaps. */
  | { readonly is: "changed" }
  /** The last: why it is over, for the person. */
  | { readonly is: "over"; readonly why: string };

/** Follows one session until it is over, however that came, or the signal aborts. */
export async function* followSession(
  parts: SignInParts,
  session: Session,
  signal: AbortSignal,
): AsyncGenerator<SessionNews, void, undefined> {
  const { store, resources } = parts;
  const after = await store.position();
  const user = await resources.get("user", session.user);
  const roles = new Set(user?.spec.roles);
  const now = await store.get(SESSION_KIND, session.id);
  const over = whyOver(now, user);
  if (over !== undefined) yield { is: "over", why: over };
  if (over !== undefined) return;
  const kinds = [SESSION_KIND, "user", "role"];
  for await (const change of store.watch({ kinds, after, signal })) {
    if (isOf(change, SESSION_KIND, session.id)) {
      const why = whyOver(change.item, await resources.get("user", session.user));
      if (why !== undefined) yield { is: "over", why };
    }
    if (isOf(change, "user", session.user))
      yield change.item ? { is: "changed" } : { is: "over", why: DELETED };
    if (change.kind === "role" && roles.has(change.name)) yield { is: "changed" };
  }
}

const isOf = ({ kind, name }: Change, wanted: string, id: string): boolean =>
  kind === wanted && name === id;

export const DELETED = "your account was deleted";

function whyOver(item: Item | undefined, user: User | undefined): string | undefined {
  if (!user) return DELETED;
  if (!item) return "your session has ended: it was not used for an hour, or is twelve hours old";
  return sessionOf(item).over;
}
