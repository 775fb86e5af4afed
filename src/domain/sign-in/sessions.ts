import { randomToken, sha256Hex } from "#base/crypto";
import { type Clock } from "#base/kernel";
import { MAX_PAGE, type IndexDefinition, type Item, type Store, type Write } from "#base/storage";
import * as z from "zod";
import { SignedOut } from "./signed-out.ts";
import { SECOND_FACTOR_MS, SESSION_IDLE_MS, SESSION_MAX_MS, SESSION_TOUCH_MS } from "./limits.ts";

const stored = z.strictObject({
  user: z.string(),
  /** Milliseconds since the epoch: when it began, was last seen, and last had a second factor. */
  began: z.number(),
  seen: z.number(),
  factor_at: z.number().optional(),
  remote_addr: z.string(),
  /** What the browser calls itself, cut. */
  agent: z.string(),
  /** Set once it was ended before its time: why, for the person. */
  over: z.string().optional(),
});

/** Somebody who is signed in. */
export interface Session extends z.infer<typeof stored> {
  /** Of the store; says nothing to a browser. */
  readonly id: string;
  readonly item: Item;
}

export interface Origin {
  readonly remoteAddr: string;
  readonly agent: string;
}

/** Somebody who has just signed in, and the cookie's value: a secret. */
export interface Entered {
  readonly user: string;
  readonly secret: string;
}

export const SESSION_KIND = "web_session";
const MAX_AGENT = 256;

export const sessionIndexes: readonly IndexDefinition[] = [
  { kind: SESSION_KIND, name: "user", version: 1, key: (value) => [stored.parse(value).user] },
];

/** Sessions live in the store under the hash of their cookie, so a restart keeps them. */
export class Sessions {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** What to commit, and the cookie's value: a secret. */
  begin(user: string, origin: Origin): { entered: Entered; write: Write } {
    const secret = randomToken(32);
    const now = this.#clock.now();
    const value = {
      user,
      began: now,
      seen: now,
      remote_addr: origin.remoteAddr,
      agent: origin.agent.slice(0, MAX_AGENT),
    };
    const about = { kind: SESSION_KIND, name: sha256Hex(secret), value };
    return {
      entered: { user, secret },
      write: { op: "create", ...about, expires: this.#end(value) },
    };
  }

  /**
   * `SignedOut` once it has ended. Each use moves the end, up to the longest; what a page does by
   * itself is no use.
   */
  async read(secret: string, { use = true }: { use?: boolean } = {}): Promise<Session> {
    const item = await this.#store.get(SESSION_KIND, sha256Hex(secret));
    if (!item) throw ended();
    const session = sessionOf(item);
    if (session.over !== undefined) throw new SignedOut(session.over);
    const now = this.#clock.now();
    if (!use || now - session.seen < SESSION_TOUCH_MS) return session;
    return await this.#change(session, { seen: now });
  }

  /** A second factor was given: it counts for a while, in this session only. */
  async factorGiven(session: Session): Promise<Session> {
    return await this.#change(session, { factor_at: this.#clock.now() });
  }

  hasFreshFactor(session: Session): boolean {
    return this.#clock.now() < this.factorEnds(session);
  }

  /** Until when the second factor counts, in milliseconds since the epoch. */
  factorEnds({ factor_at: at }: Session): number {
    return at === undefined ? 0 : at + SECOND_FACTOR_MS;
  }

  /** Those of one person, the last used first. */
  async of(user: string): Promise<readonly Session[]> {
    const sessions = (await this.#itemsOf(user)).map(sessionOf);
    return sessions.filter(({ over }) => over === undefined).sort((a, b) => b.seen - a.seen);
  }

  /** Everybody who has a session. */
  async people(): Promise<ReadonlySet<string>> {
    const people = new Set<string>();
    let after: string | undefined;
    do {
      const about = { kind: SESSION_KIND, limit: MAX_PAGE, ...(after ? { after } : {}) };
      const page = await this.#store.list(about);
      for (const { user, over } of page.items.map(sessionOf)) if (!over) people.add(user);
      after = page.next;
    } while (after);
    return people;
  }

  /** Ends these, with an event for each; whoever comes back with one is told why. */
  async end(sessions: readonly Session[], why: string, event: () => Write): Promise<void> {
    for (const session of sessions) await this.#store.commit([ending(session, why), event()]);
  }

  /** Ends all of one person, in the same commit as its reason. */
  async endingsOf(user: string, why: string): Promise<readonly Write[]> {
    return (await this.of(user)).map((session) => ending(session, why));
  }

  /** For a person who is deleted: nothing stays. */
  async removalsOf(user: string): Promise<readonly Write[]> {
    const items = await this.#itemsOf(user);
    return items.map(({ name }) => ({ op: "delete", kind: SESSION_KIND, name }));
  }

  /** When it ends if nobody uses it any more, in milliseconds since the epoch. */
  endOf(session: Session): number {
    return this.#end(session);
  }

  async #itemsOf(user: string): Promise<readonly Item[]> {
    const range = { index: "user", from: user, to: `${user}\0`, limit: MAX_PAGE };
    return (await this.#store.list({ kind: SESSION_KIND, ...range })).items;
  }

  async #change(session: Session, change: Partial<z.infer<typeof stored>>): Promise<Session> {
    const { name, revision } = session.item;
    const value = stored.parse({ ...session.item.value, ...change });
    const expires = this.#end(value);
    try {
      const { revisions } = await this.#store.commit([
        { op: "update", kind: SESSION_KIND, name, revision, value, expires },
      ]);
      return sessionOf({ ...session.item, value, revision: revisions[0]!, expires });
    } catch {
      // Another call of the same page was first, or it has just ended.
      const item = await this.#store.get(SESSION_KIND, name);
      if (!item) throw ended();
      const now = sessionOf(item);
      if (now.over !== undefined) throw new SignedOut(now.over);
      return change.factor_at ? await this.#change(now, change) : now;
    }
  }

  #end({ began, seen }: Pick<Session, "began" | "seen">): number {
    return Math.min(seen + SESSION_IDLE_MS, began + SESSION_MAX_MS);
  }
}

export const sessionOf = (item: Item): Session => ({
  ...stored.parse(item.value),
  id: item.name,
  item,
});

/** Whatever its revision: it may be touched meanwhile. */
const ending = ({ item }: Session, over: string): Write => {
  const { kind, name, expires } = item;
  const value = { ...item.value, over };
  return { op: "put", kind, name, value, ...(expires === undefined ? {} : { expires }) };
};

const ended = (): SignedOut =>
  new SignedOut("your session has ended: you signed out, or it was not used for an hour");
