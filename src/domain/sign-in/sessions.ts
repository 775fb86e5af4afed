import { randomToken, sha256Hex } from "#base/crypto";
import { unauthenticated, type Clock } from "#base/kernel";
import { MAX_PAGE, type IndexDefinition, type Item, type Store, type Write } from "#base/storage";
import * as z from "zod";
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

const KIND = "web_session";
const MAX_AGENT = 256;

export const sessionIndexes: readonly IndexDefinition[] = [
  { kind: KIND, name: "user", version: 1, key: (value) => [stored.parse(value).user] },
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
    const about = { kind: KIND, name: sha256Hex(secret), value };
    return {
      entered: { user, secret },
      write: { op: "create", ...about, expires: this.#end(value) },
    };
  }

  /** `unauthenticated` once it has ended. Each use moves the end, up to the longest. */
  async read(secret: string): Promise<Session> {
    const item = await this.#store.get(KIND, sha256Hex(secret));
    if (!item) throw unauthenticated("you are signed out; sign in again");
    const session = sessionOf(item);
    const now = this.#clock.now();
    if (now - session.seen < SESSION_TOUCH_MS) return session;
    return await this.#change(session, { seen: now });
  }

  /** A second factor was given: it counts for a while, in this session only. */
  async factorGiven(session: Session): Promise<Session> {
    return await this.#change(session, { factor_at: this.#clock.now() });
  }

  hasFreshFactor({ factor_at: at }: Session): boolean {
    return at !== undefined && this.#clock.now() - at < SECOND_FACTOR_MS;
  }

  end(session: Session): Promise<unknown> {
    return this.#store.commit([removal(session.item)]).catch(ended);
  }

  /** All of one person, for the same commit as its reason. */
  async removalsOf(user: string): Promise<readonly Write[]> {
    const range = { index: "user", from: user, to: `${user}\0`, limit: MAX_PAGE };
    const { items } = await this.#store.list({ kind: KIND, ...range });
    return items.map(removal);
  }

  async #change(session: Session, change: Partial<z.infer<typeof stored>>): Promise<Session> {
    const { name, revision } = session.item;
    const value = stored.parse({ ...session.item.value, ...change });
    const expires = this.#end(value);
    try {
      const { revisions } = await this.#store.commit([
        { op: "update", kind: KIND, name, revision, value, expires },
      ]);
      return sessionOf({ ...session.item, value, revision: revisions[0]!, expires });
    } catch {
      // Another call of the same page was first, or it has just ended.
      const item = await this.#store.get(KIND, name);
      if (item)
        return change.factor_at ? await this.#change(sessionOf(item), change) : sessionOf(item);
      throw unauthenticated("you are signed out; sign in again");
    }
  }

  #end({ began, seen }: Pick<Session, "began" | "seen">): number {
    return Math.min(seen + SESSION_IDLE_MS, began + SESSION_MAX_MS);
  }
}

const sessionOf = (item: Item): Session => ({ ...stored.parse(item.value), id: item.name, item });

/** Whatever its revision: it may be touched meanwhile. */
const removal = ({ name }: Item): Write => ({ op: "delete", kind: KIND, name });

const ended = (): undefined => undefined;
