import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, messageOf, silentLogger, systemClock, type ErrorCode } from "#base/kernel";
import {
  openSqliteStore,
  type BackedUpStore,
  type IndexDefinition,
  type Write,
} from "#base/storage";

type Options = Omit<Parameters<typeof openSqliteStore>[0], "directory">;

const indexes: readonly IndexDefinition[] = [
  { kind: "doc", name: "rank", version: 1, key: ({ rank }) => [JSON.stringify(rank)] },
];

/** A write of a document of about `size` bytes. */
export const put = (name: string, size = 10): Write => ({
  op: "put",
  kind: "doc",
  name,
  value: { rank: name, text: "x".repeat(size) },
});

/** A directory for SQLite stores, which disposal removes. */
export class StoreYard implements AsyncDisposable {
  readonly #parent: string;
  #count = 0;

  private constructor(parent: string) {
    this.#parent = parent;
  }

  static async make(): Promise<StoreYard> {
    return new StoreYard(await mkdtemp(join(tmpdir(), "tenon-store-")));
  }

  /** A path at which there is nothing yet. */
  fresh(): string {
    return join(this.#parent, `store-${this.#count++}`);
  }

  open(directory: string, options: Partial<Options> = {}): Promise<BackedUpStore> {
    const defaults = { clock: systemClock, logger: silentLogger, indexes };
    return openSqliteStore({ directory, ...defaults, ...options });
  }

  /** A closed store with some documents. */
  async filled(documents = 100, size = 500): Promise<string> {
    const directory = this.fresh();
    await using store = await this.open(directory);
    await store.commit(Array.from({ length: documents }, (_, i) => put(`n${i}`, size)));
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#parent, { recursive: true });
  }
}

/** Asserts the code of a refusal, and words of its message. */
export async function refused(
  work: Promise<unknown>,
  code: ErrorCode,
  ...words: readonly string[]
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.equal(codeOf(error), code, messageOf(error));
    for (const word of words) assert.ok(messageOf(error).includes(word), messageOf(error));
    return true;
  });
}
