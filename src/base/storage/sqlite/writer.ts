import type { DatabaseSync } from "node:sqlite";
import { checkCondition, type Failure } from "../conditions.ts";
import { sqliteFailure } from "./failures.ts";
import type { Deleted, Reply, Request, WireWrite, WorkerOptions } from "./messages.ts";
import { Keys } from "./keys.ts";
import { transaction } from "./schema.ts";
import { prepareStatements, type Statements } from "./statements.ts";

/** A refused condition: it undoes its own batch, and no other. */
class Refused extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

interface State {
  position: number;
  forgotten: number;
  feedBytes: number;
}

interface Row {
  readonly id: number;
  readonly position: number;
  readonly expires: number | null;
  readonly keys: string;
}

/** How many expired items one sweep deletes, so that commits behind it do not wait for long. */
const SWEEP = 500;
/** The feed is cut in steps of this many changes. */
const CUT = 64;

/** The only writer of the file: runs groups of requests, each group in one durable transaction. */
export class Writer {
  readonly #db: DatabaseSync;
  readonly #options: WorkerOptions;
  readonly #sql: Statements;
  readonly #keys: Keys;
  #state: State;

  constructor(db: DatabaseSync, options: WorkerOptions) {
    this.#db = db;
    this.#options = options;
    this.#sql = prepareStatements(db);
    this.#keys = new Keys(db);
    this.#state = this.#readState();
  }

  /** Answers every request, in order, when all that was accepted is on the disk. */
  run(requests: readonly Request[]): readonly Reply[] {
    const before = { ...this.#state };
    try {
      return transaction(this.#db, () => {
        const replies = requests.map((request) => this.#answer(request));
        this.#trimFeed();
        const { position, forgotten, feedBytes } = this.#state;
        this.#sql.writeState.run(position, forgotten, feedBytes);
        return replies;
      });
    } catch (error) {
      this.#state = before;
      const failure = sqliteFailure(error);
      return requests.map(() => ({ is: "failed", failure }));
    }
  }

  #answer(request: Request): Reply {
    if (request.do === "sweep") return this.#sweep(request.now);
    const before = { ...this.#state };
    // A single write that is refused has written nothing.
    const needsSavepoint = request.writes.length > 1;
    if (needsSavepoint) this.#sql.savepoint.run();
    try {
      for (const write of request.writes) this.#apply(write, request.now);
      if (this.#state.position === before.position) this.#state.position += 1;
      return { is: "committed", position: this.#state.position };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (needsSavepoint) this.#sql.rollback.run();
      this.#state = before;
      return { is: "failed", failure: error.failure };
    } finally {
      if (needsSavepoint && this.#db.isTransaction) this.#sql.release.run();
    }
  }

  #apply(write: WireWrite, now: number): void {
    const [op, kind, name, revision, json, expires, keys] = write;
    const row = this.#sql.find.get(kind, name) as Row | undefined;
    const live = row && (row.expires === null || row.expires > now) ? row : undefined;
    const condition = { op, kind, name, ...(revision === undefined ? {} : { revision }) };
    const failure = checkCondition(condition, live && String(live.position));
    if (failure) throw new Refused(failure);
    if (op === "check") return;
    if (op === "delete") this.#delete(row!, kind, name);
    else this.#put(row, [kind, name, json!, expires, keys]);
  }

  #put(
    row: Row | undefined,
    [kind, name, json, expires, keys]: [string, string, string, number | null, string],
  ): void {
    const position = this.#append(kind, name, expires, json);
    if (row) {
      this.#sql.update.run(position, expires, keys, json, row.id);
      this.#keys.replace(row.keys, keys, { id: row.id, name });
      return;
    }
    const added = this.#sql.insert.run(kind, name, position, expires, keys, json);
    this.#keys.count(kind, 1);
    this.#keys.replace("", keys, { id: Number(added.lastInsertRowid), name });
  }

  #delete(row: Row, kind: string, name: string): number {
    this.#sql.remove.run(row.id);
    this.#keys.count(kind, -1);
    this.#keys.replace(row.keys, "", { id: row.id, name });
    return this.#append(kind, name, null, null);
  }

  #append(kind: string, name: string, expires: number | null, json: string | null): number {
    this.#state.position += 1;
    this.#state.feedBytes += json === null ? 0 : Buffer.byteLength(json);
    this.#sql.addChange.run(this.#state.position, kind, name, expires, json);
    return this.#state.position;
  }

  #sweep(now: number): Reply {
    const rows = this.#sql.expired.all(now, SWEEP) as unknown as (Row & Deleted)[];
    const deleted = rows.map((row): Deleted => {
      const { kind, name } = row;
      return { position: this.#delete(row, kind, name), kind, name };
    });
    const next = this.#sql.nextExpiry.get()?.["next"];
    return { is: "swept", deleted, next: typeof next === "number" ? next : null };
  }

  /** Keeps the feed within its number and its size. */
  #trimFeed(): void {
    while (this.#feedIsLong()) {
      const through = Math.min(this.#state.forgotten + CUT, this.#state.position);
      const size = this.#sql.feedSize.get(through)?.["size"];
      this.#sql.trim.run(through);
      this.#state.forgotten = through;
      this.#state.feedBytes -= Number(size);
    }
  }

  #feedIsLong(): boolean {
    const { position, forgotten, feedBytes } = this.#state;
    if (position - forgotten >= this.#options.feedEntries + CUT) return true;
    return feedBytes > this.#options.feedBytes && forgotten < position;
  }

  #readState(): State {
    const row = this.#sql.readState.get();
    return {
      position: Number(row?.["position"]),
      forgotten: Number(row?.["forgotten"]),
      feedBytes: Number(row?.["feed_bytes"]),
    };
  }
}
