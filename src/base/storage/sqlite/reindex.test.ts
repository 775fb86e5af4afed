import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IndexDefinition, JsonObject } from "#base/storage";
import { put, refused, StoreYard } from "#testing/store-yard";

/** More than one transaction's share. */
const DOCUMENTS = 4_500;

const textOf = ({ text }: JsonObject): string => (typeof text === "string" ? text : "");
const definitions = (version: number, key: IndexDefinition["key"]): IndexDefinition[] => [
  { kind: "doc", name: "rank", version, key },
  {
    kind: "doc",
    name: "length",
    version: 1,
    use: "counted",
    key: (each) => [`${textOf(each).length}`],
  },
  { kind: "doc", name: "text", version: 1, use: "text", key: (each) => [textOf(each)] },
];

describe("building indexes anew", () => {
  it("that was cut short begins again when the store is opened, and is whole", async () => {
    await using yard = await StoreYard.make();
    const directory = yard.fresh();
    {
      await using store = await yard.open(directory);
      for (let i = 0; i < DOCUMENTS; i += 900)
        await store.commit(Array.from({ length: 900 }, (_, k) => put(`n${i + k}`, (i + k) % 10)));
    }
    const fails = definitions(2, (_, { name }) => {
      if (name === "n4000") throw new Error("cut short");
      return [name];
    });
    await refused(yard.open(directory, { indexes: fails }), "internal", "cut short");
    for (const version of [2, 3]) {
      const indexes = definitions(version, (_, { name }) => [`${version}-${name}`]);
      await using store = await yard.open(directory, { indexes });
      const prefix = `${version}-`;
      assert.equal(await store.count({ kind: "doc", index: "rank" }), DOCUMENTS);
      assert.equal(await store.count({ kind: "doc", index: "rank", prefix }), DOCUMENTS);
      const tallies = await store.tally({ kind: "doc", index: "length" });
      assert.deepEqual(
        tallies.map(({ count }) => count),
        Array.from({ length: 10 }, () => DOCUMENTS / 10),
      );
      const containing = ["x".repeat(9)];
      const page = await store.list({ kind: "doc", containing, limit: 1_000 });
      assert.equal(page.items.length, DOCUMENTS / 10);
    }
  });
});
