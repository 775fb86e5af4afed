import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { codeOf, type ErrorCode } from "#base/kernel";
import type { Change, Item, JsonObject, ListQuery, Store, Write } from "#base/storage";
import { all, clear, indexes, open, strings, textOf, type StoreKind } from "./harness.ts";

/** The plainest store there is: each state is a whole map, and lists filter and sort it. */
type State = ReadonlyMap<string, { readonly value: JsonObject; readonly revision: string }>;

/** A write whose revision is chosen when it is made: the one that was read, or a stale one. */
interface Intent {
  readonly op: Write["op"];
  readonly name: string;
  readonly value: JsonObject;
  readonly revision: "read" | "stale" | "none";
}

const text = fc.oneof(
  fc.constantFrom("", "a", "ab", "b", "\u00ff", "\uffff", "\u{10000}", "\u{10ffff}"),
  fc.string({ unit: "binary", maxLength: 2 }),
);
/** Long enough for trigrams, and of few characters, so that some of it is found. */
const word = fc.oneof(text, fc.string({ unit: fc.constantFrom("a", "b", '"', "\u{10000}") }));
const name = fc.constantFrom("a", "b", "c\uffff", "c\u{10000}", "d");
const value = fc.record(
  {
    rank: fc.option(text),
    tags: fc.array(text, { maxLength: 3 }),
    words: fc.array(word, { maxLength: 3 }),
  },
  { noNullPrototype: true },
);
const intent: fc.Arbitrary<Intent> = fc.record({
  op: fc.constantFrom<Write["op"]>("create", "update", "put", "delete", "check"),
  name,
  value,
  revision: fc.constantFrom<Intent["revision"]>("read", "read", "stale", "none"),
});
const batch = fc.array(intent, { minLength: 1, maxLength: 3 });
/** Batches of one round are committed at once. */
const round = fc.array(batch, { minLength: 1, maxLength: 4 });
const query = fc.record(
  {
    index: fc.constantFrom("rank", "tag"),
    prefix: text,
    from: text,
    to: text,
    order: fc.constantFrom("ascending" as const, "descending" as const),
    containing: fc.array(word, { maxLength: 2 }),
    limit: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
);

export function testModel(kind: StoreKind): void {
  describe("against a naive model", () => {
    it("concurrent batches have some order that explains every answer, list and change", async () => {
      await using bench = await open(kind);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(round, query), { minLength: 1, maxLength: 6 }),
          async (rounds) => {
            const start = await clear(bench.store);
            let state: State = new Map();
            for (const [batches, query] of rounds) {
              state = await runRound(bench.store, state, batches);
              assert.deepEqual(stateOf(await all(bench.store, { kind: "doc", limit: 2 })), state);
              await checkList(bench.store, state, { kind: "doc", ...query });
              await checkTally(bench.store, state);
            }
            assert.deepEqual(await replay(bench.store, start), state);
          },
        ),
        { numRuns: 80 },
      );
    });
  });
}

async function runRound(store: Store, start: State, batches: readonly Intent[][]): Promise<State> {
  const writes = batches.map((batch) => batch.map((intent) => writeOf(intent, start)));
  const outcomes = await Promise.allSettled(writes.map((batch) => store.commit(batch)));
  const done = outcomes.flatMap((outcome, i) =>
    outcome.status === "fulfilled" ? [{ ...outcome.value, writes: writes[i]! }] : [],
  );
  const states = [start];
  for (const { writes, revisions } of done.toSorted((a, b) => a.position - b.position)) {
    const next = apply(states.at(-1)!, writes, revisions);
    if (typeof next === "string") assert.fail(`an accepted batch breaks its condition: ${next}`);
    states.push(next);
  }
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    const expected = states.map((state) => apply(state, writes[i]!, []));
    assert.ok(expected.includes(codeOf(outcome.reason)), String(outcome.reason));
  }
  return states.at(-1)!;
}

function writeOf({ op, name, value, revision }: Intent, state: State): Write {
  const read = state.get(name)?.revision;
  const chosen = revision === "read" ? read : revision === "stale" ? "0" : undefined;
  const key = { kind: "doc", name };
  if (op === "create" || op === "put") return { op, ...key, value };
  if (op === "update") return { op, ...key, value, revision: chosen ?? "0" };
  if (op === "check") return { op, ...key, revision: chosen ?? null };
  return chosen === undefined ? { op, ...key } : { op, ...key, revision: chosen };
}

/** The next state, or the code with which the batch must be refused. */
function apply(
  state: State,
  writes: readonly Write[],
  revisions: readonly (string | undefined)[],
): State | ErrorCode {
  const next = new Map(state);
  for (const [i, write] of writes.entries()) {
    const current = next.get(write.name)?.revision;
    if (write.op === "create" && current !== undefined) return "already_exists";
    if (write.op === "update" && current !== write.revision) return "compare_failed";
    if (write.op === "check" && (current ?? null) !== write.revision) return "compare_failed";
    if (write.op === "delete" && current === undefined) return "not_found";
    if (write.op === "delete" && write.revision !== undefined && write.revision !== current)
      return "compare_failed";
    if (write.op === "delete") next.delete(write.name);
    if ("value" in write) {
      next.set(write.name, { value: write.value, revision: revisions[i] ?? `pending ${i}` });
    }
  }
  return next;
}

const stateOf = (items: readonly Item[]): State =>
  new Map(items.map(({ name, value, revision }) => [name, { value, revision }]));

const compareBytes = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

async function checkList(store: Store, state: State, query: ListQuery): Promise<void> {
  const { index, prefix = "", from = "", to, order, limit, containing = [] } = query;
  const keysOf = indexes.find((definition) => definition.name === index)?.key;
  const asText = (text: string): string => text.toWellFormed().replaceAll("\0", " ");
  const matching = [...state].filter(([, { value }]) => {
    const [text = ""] = textOf(strings(value["words"])).map(asText);
    return containing.every((part) => text.includes(asText(part)));
  });
  const entries = matching.flatMap(([name, { value }]) =>
    [...new Set(keysOf ? keysOf(value, { name }) : [name])].map((key) => ({ key, name })),
  );
  const within = entries.filter(
    ({ key }) =>
      Buffer.from(key).subarray(0, Buffer.byteLength(prefix)).equals(Buffer.from(prefix)) &&
      compareBytes(key, from) >= 0 &&
      (to === undefined || compareBytes(key, to) < 0),
  );
  within.sort((a, b) => compareBytes(a.key, b.key) || compareBytes(a.name, b.name));
  if (order === "descending") within.reverse();
  const names = within.map((entry) => entry.name);
  const page = await store.list(query);
  const isWhole = containing.join("") === "" || page.next === undefined;
  assert.deepEqual(
    page.items.map((item) => item.name),
    names.slice(0, isWhole ? (limit ?? 100) : page.items.length),
  );
  assert.deepEqual(
    (await all(store, query)).map((item) => item.name),
    names,
  );
  if (from === "" && to === undefined && containing.length === 0) {
    assert.equal(await store.count(query), new Set(names).size);
  }
}

async function checkTally(store: Store, state: State): Promise<void> {
  const keys = [...state.values()].flatMap(({ value }) => [...new Set(strings(value["words"]))]);
  const groups = [...Map.groupBy(keys, (key) => key.toWellFormed())];
  const expected = groups.map(([key, { length }]) => ({ key, count: length }));
  const told = await store.tally({ kind: "doc", index: "word" });
  const byKey = (a: { key: string }, b: { key: string }): number => compareBytes(a.key, b.key);
  assert.deepEqual(told.toSorted(byKey), expected.toSorted(byKey));
  assert.equal(await store.count({ kind: "doc" }), state.size);
}

/** What the feed alone says that the store holds. */
async function replay(store: Store, after: number): Promise<State> {
  const state = new Map<string, { value: JsonObject; revision: string }>();
  const end = await store.position();
  const controller = new AbortController();
  // A batch of checks has a position and no change: a marker tells where the feed ends.
  const marker = await store.commit([{ op: "put", kind: "marker", name: "end", value: {} }]);
  assert.ok(marker.position > end);
  for await (const change of store.watch({ after, signal: controller.signal })) {
    if (change.kind === "marker") break;
    follow(state, change);
  }
  return state;
}

function follow(state: Map<string, { value: JsonObject; revision: string }>, change: Change): void {
  if (change.op === "delete") state.delete(change.name);
  else state.set(change.name, { value: change.item!.value, revision: change.item!.revision });
}
