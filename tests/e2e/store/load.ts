import assert from "node:assert/strict";
import type { IndexDefinition, Item, Store, Write } from "#base/storage";

export const WRITERS = 8;

export const indexes: readonly IndexDefinition[] = [
  { kind: "log", name: "writer", version: 1, key: ({ id }) => [JSON.stringify(id)] },
];

/** Two items that always hold the same number, and a record for each number: none may come alone. */
export const batchOf = (id: number, n: number): readonly Write[] => [
  { op: "put", kind: "pair", name: `${id}-a`, value: { n } },
  { op: "create", kind: "log", name: `${id}-${n}`, value: { id, n, padding: "x".repeat(500) } },
  { op: "put", kind: "pair", name: `${id}-b`, value: { n } },
];

/** Every acknowledged batch is whole in the store, and nothing is there of a batch that is not whole. */
export async function checkWhole(
  store: Store,
  acknowledged: ReadonlyMap<number, number>,
): Promise<void> {
  for (let id = 0; id < WRITERS; id++) {
    const a = numberOf(await store.get("pair", `${id}-a`));
    const b = numberOf(await store.get("pair", `${id}-b`));
    assert.equal(a, b, `writer ${id} left half a batch`);
    const last = acknowledged.get(id) ?? -1;
    assert.ok(a >= last, `writer ${id} was told ${last}, the store has ${a}`);
    const prefix = JSON.stringify(id);
    assert.equal(await store.count({ kind: "log", index: "writer", prefix }), a + 1);
    assert.equal(await store.count({ kind: "log", prefix: `${id}-` }), a + 1);
  }
  await checkFeed(store);
}

const numberOf = (item: Item | undefined): number => Number(item?.value["n"] ?? -1);

/** The feed's end agrees with the items, batch by batch: a, log and b of one number in a row. */
async function checkFeed(store: Store): Promise<void> {
  const end = await store.position();
  const after = Math.max(0, end - 300);
  let last = after;
  const row: (readonly [string, unknown])[] = [];
  const { signal } = new AbortController();
  for await (const change of store.watch({ after, signal })) {
    assert.equal(change.position, last + 1, "the feed has a gap");
    last = change.position;
    row.push([change.name, change.item?.value["n"]]);
    if (row.length === 3 && change.position % 3 === 0) {
      const [[, first], , [, third]] = row as [[string, unknown], unknown, [string, unknown]];
      assert.equal(first, third);
    }
    if (change.position % 3 === 0) row.length = 0;
    if (last === end) return;
  }
}
