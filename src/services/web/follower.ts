import { AuthService, type EventNews } from "@tenon/api/tenon/auth/v1/auth";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import { codeOf, messageOf } from "#base/kernel";
import type { LocalOrigin } from "#base/rpc";
import type { Session } from "#domain/sign-in";
import { Gathered, type Changed } from "./gathered.ts";
import type { WebParts } from "./parts.ts";

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

/** The events of a stream, each with what its data holds. */
export interface Told {
  /** Nothing that changes from here on is missed. */
  ready: object;
  changed: Changed;
  events: object;
  /** The viewer's roles do not show this kind. */
  hidden: { kind: string };
  /** A kind cannot be followed any more; the stream ends, and the next one may. */
  ended: { kind: string; reason: string };
  /** What the viewer may do has changed; the stream ends, and the next one follows by the new roles. */
  viewer: object;
  /** The session is over: the last of all. */
  over: { reason: string };
}

export type Say = <E extends keyof Told>(event: E, data: Told[E]) => Promise<void>;

/** Follows for one page what its viewer may see, and whether the viewer is still there. */
export class Follower {
  readonly #parts: WebParts;
  readonly #origin: LocalOrigin;
  readonly #say: Say;
  readonly #gathered: Gathered;
  /** What is not followed yet. */
  readonly #waiting = new Set<string>([...followed, "event"]);

  constructor(parts: WebParts, origin: LocalOrigin, say: Say) {
    this.#parts = parts;
    this.#origin = origin;
    this.#say = say;
    const tell = async (changed: Changed): Promise<void> => await say("changed", changed);
    this.#gathered = new Gathered({ clock: parts.clock, signal: origin.signal, tell });
  }

  /** Until the session is over, its person's roles are others, or something cannot be followed. */
  async run(session: Session, stop: () => void): Promise<void> {
    const kinds = followed.map(async (kind) => await this.#through(kind, this.#changes(kind)));
    const all = [...kinds, this.#through("event", this.#events()), this.#person(session)];
    await Promise.all(all.map(async (each) => void ((await each) && stop())));
  }

  async #person(session: Session): Promise<boolean> {
    for await (const news of this.#parts.signIn.follow(session, this.#origin.signal)) {
      if (news.is === "over") await this.#say("over", { reason: news.why });
      else await this.#say("viewer", {});
      return true;
    }
    return true;
  }

  /** Whether the stream must end with it. */
  async #through(kind: string, changes: AsyncIterable<unknown>): Promise<boolean> {
    try {
      for await (const _ of changes) await this.#ready(kind);
      return true;
    } catch (error) {
      if (this.#origin.signal.aborted) return true;
      const hidden = codeOf(error) === "access_denied";
      if (hidden) await this.#say("hidden", { kind });
      else await this.#say("ended", { kind, reason: messageOf(error) });
      await this.#ready(kind);
      return !hidden;
    }
  }

  async *#changes(kind: string): AsyncGenerator<void> {
    for await (const { event } of this.#parts.calls.stream(
      watch,
      { kinds: [kind] },
      this.#origin,
    )) {
      if (event.case === "put") this.#gathered.add(kind, nameIn(event.value.json));
      if (event.case === "deleted") this.#gathered.add(kind, shown(kind, event.value.name));
      yield;
    }
  }

  async *#events(): AsyncGenerator<void> {
    for await (const news of this.#parts.calls.stream(watchEvents, {}, this.#origin)) {
      if (news.count > 0 || news.all) await this.#say("events", newsOf(news));
      yield;
    }
  }

  async #ready(kind: string): Promise<void> {
    if (this.#waiting.delete(kind) && this.#waiting.size === 0) await this.#say("ready", {});
  }
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
