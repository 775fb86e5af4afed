import { CodedError, internal, unavailable, type Clock, type Logger } from "#base/kernel";
import { Sweeper } from "../expiry.ts";
import type { FeedEntry } from "../entries.ts";
import { Feed } from "../feed.ts";
import { prepare, type Indexes, type Prepared } from "../prepare.ts";
import { rangeOf, tallyLimit } from "../query.ts";
import type {
  BackedUpStore,
  Committed,
  CountQuery,
  Item,
  ListQuery,
  Page,
  Store,
  Tally,
  TallyQuery,
  Write,
} from "../store.ts";
import type { WorkerLink } from "./link.ts";
import type { Deleted, Reply, WireWrite } from "./messages.ts";
import type { Reader } from "./reader.ts";
import type { Remembered } from "./remembered.ts";
import { encodeKeys } from "./keys.ts";
import { numberKeys, type IndexIds } from "./reindex.ts";

/** What lives in memory of the feed; a reader further behind is served from the file. */
const RECENT = { entries: 2_000, bytes: 8 * 1024 * 1024 };

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly indexes: Indexes;
  readonly ids: IndexIds;
  readonly reader: Reader;
  readonly remembered: Remembered;
  readonly link: WorkerLink;
  readonly lock: Disposable;
  readonly feedLength: number;
  readonly backup: BackedUpStore["backup"];
}

/** Reads here, writes in the worker; the feed is fed by the worker's answers. */
export class SqliteStore implements BackedUpStore {
  readonly #parts: Parts;
  readonly #feed: Feed;
  readonly #sweeper: Sweeper;
  readonly #backups = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { clock, logger, reader, feedLength } = parts;
    this.#parts = parts;
    this.#feed = new Feed({
      position: reader.state().position,
      limits: { entries: Math.min(RECENT.entries, feedLength), bytes: RECENT.bytes },
      history: {
        newest: () => reader.state().position,
        after: (position, limit) => reader.changes(position, limit),
      },
    });
    this.#sweeper = new Sweeper({ clock, logger, sweep: (now) => this.#sweep(now) });
    this.#sweeper.note(reader.nextExpiry());
  }

  async get(kind: string, name: string): Promise<Item | undefined> {
    this.#checkOpen();
    return this.#parts.reader.get(kind, name, this.#parts.clock.now());
  }

  async list(query: ListQuery): Promise<Page> {
    this.#checkOpen();
    return this.#parts.reader.list(rangeOf(query, this.#parts.indexes), this.#parts.clock.now());
  }

  async count(query: CountQuery): Promise<number> {
    this.#checkOpen();
    const { indexes, reader, clock } = this.#parts;
    return reader.count(rangeOf(query, indexes), clock.now(), query.each);
  }

  async tally(query: TallyQuery): Promise<readonly Tally[]> {
    this.#checkOpen();
    const limit = tallyLimit(query, this.#parts.indexes);
    return this.#parts.reader.tally({ ...query, limit }, this.#parts.clock.now());
  }

  async commit(writes: readonly Write[]): Promise<Committed> {
    this.#checkOpen();
    const { clock, indexes, ids, link, remembered } = this.#parts;
    const prepared = prepare(writes, indexes);
    const wire = prepared.map((write) => wireOf(write, ids));
    const size = prepared.reduce((sum, write) => sum + jsonOf(write).length, 0);
    using _writing = remembered.writing(prepared);
    return await link.request({ do: "commit", now: clock.now(), writes: wire }, size, (reply) => {
      if (reply.is !== "committed") throw wrongReply(reply);
      return this.#committed(prepared, reply.position);
    });
  }

  watch(options: Parameters<Store["watch"]>[0]): ReturnType<Store["watch"]> {
    return this.#feed.watch(options);
  }

  async position(): Promise<number> {
    this.#checkOpen();
    return this.#feed.position;
  }

  async backup(file: string): ReturnType<BackedUpStore["backup"]> {
    this.#checkOpen();
    const backup = this.#parts.backup(file);
    this.#backups.add(backup);
    return await backup.finally(() => this.#backups.delete(backup));
  }

  /** Commits and backups under way are finished first; readers of the feed end. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { link, reader, lock } = this.#parts;
    this.#sweeper[Symbol.dispose]();
    await Promise.allSettled([link.idle(), ...this.#backups]);
    this.#feed.close();
    // First, so that the worker's connection is the last one and folds the log into the file.
    reader[Symbol.dispose]();
    await link.close();
    lock[Symbol.dispose]();
  }

  /** The changes of a batch that ends at `position`, and what to tell its caller. */
  #committed(writes: readonly Prepared[], position: number): Committed {
    const changing = writes.filter((write) => write.op !== "check");
    const start = position - changing.length + 1;
    this.#feed.append(
      changing.map((write, i) => entryOf(write, start + i)),
      position,
    );
    let next = start;
    const revisions = writes.map((write) => {
      if (write.op === "check") return undefined;
      const revision = String(next++);
      return write.op === "delete" ? undefined : revision;
    });
    for (const write of writes) if ("expires" in write) this.#sweeper.note(write.expires);
    return { position, revisions };
  }

  /** One step for each answer, so that commits come between. */
  async #sweep(now: number): Promise<number | undefined> {
    for (;;) {
      const next = await this.#parts.link.request({ do: "sweep", now }, 0, (reply) => {
        if (reply.is !== "swept") throw wrongReply(reply);
        const { deleted } = reply;
        for (const { kind, name } of deleted) this.#parts.remembered.forget(kind, name);
        if (deleted.length > 0) this.#feed.append(deleted.map(deleteOf), deleted.at(-1)!.position);
        return reply.next ?? undefined;
      });
      if (next === undefined || next > now || this.#closing) return next;
    }
  }

  #checkOpen(): void {
    if (this.#closing) throw unavailable("the store is closed");
  }
}

const jsonOf = (write: Prepared): string => ("json" in write ? write.json : "");

function wireOf(write: Prepared, ids: IndexIds): WireWrite {
  const { op, kind, name } = write;
  const revision = "revision" in write ? write.revision : undefined;
  if (!("json" in write)) return [op, kind, name, revision, null, null, ""];
  const keys = encodeKeys(numberKeys(write.keys, kind, ids));
  return [op, kind, name, revision, write.json, write.expires ?? null, keys];
}

function entryOf(write: Prepared, position: number): FeedEntry {
  const { kind, name } = write;
  if (!("json" in write)) return { position, op: "delete", kind, name };
  const { json, expires } = write;
  return { position, op: "put", kind, name, json, ...(expires === undefined ? {} : { expires }) };
}

const deleteOf = ({ position, kind, name }: Deleted): FeedEntry => ({
  position,
  op: "delete",
  kind,
  name,
});

function wrongReply(reply: Reply): Error {
  if (reply.is !== "failed")
    return internal(`the store's writer answered "${reply.is}" to another question`);
  const { code, message, ...detail } = reply.failure;
  return new CodedError(code, message, detail);
}
