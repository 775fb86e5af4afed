import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { all, clear, namesOf, open, remove, write, type StoreKind } from "./harness.ts";

const key = fc.string({ unit: "binary", maxLength: 3 });
const order = fc.constantFrom("ascending" as const, "descending" as const);

export function testPaging(kind: StoreKind): void {
  describe("paging", () => {
    it("neither repeats nor skips what stays in place while others come, move and go", async () => {
      const steady = fc.uniqueArray(key, { minLength: 1, maxLength: 12 });
      const churn = fc.infiniteStream(fc.tuple(fc.boolean(), key));
      await using bench = await open(kind);
      await fc.assert(
        fc.asyncProperty(
          steady,
          churn,
          order,
          fc.boolean(),
          fc.integer({ min: 1, max: 4 }),
          async (ranks, churn, order, byIndex, limit) => {
            await clear(bench.store);
            const names = ranks.map((rank) => `s${rank}`);
            await bench.store.commit(
              ranks.map((rank, i) => write("put", names[i]!, { rank, steady: true })),
            );
            const disturb = async (): Promise<void> => {
              const [keep, rank] = churn.next().value;
              const name = `s${rank}!`;
              const exists = await bench.store.get("doc", name);
              if (names.includes(name)) return;
              if (keep) await bench.store.commit([write("put", name, { rank })]);
              else if (exists) await bench.store.commit([remove(name)]);
            };
            await disturb();
            const query = { kind: "doc", order, limit, ...(byIndex ? { index: "rank" } : {}) };
            const found = await all(bench.store, query, disturb);
            const inPlace = found.filter((item) => item.value["steady"] === true);
            const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
            if (order === "descending") sorted.reverse();
            assert.deepEqual(namesOf(inPlace), sorted);
          },
        ),
        { numRuns: 60 },
      );
    });

    it("goes on behind an item that was deleted between two pages", async () => {
      await using bench = await open(kind);
      await bench.store.commit(["a", "b", "c", "d"].map((name) => write("put", name)));
      const first = await bench.store.list({ kind: "doc", limit: 2 });
      await bench.store.commit([remove("a"), remove("b")]);
      const second = await bench.store.list({ kind: "doc", limit: 2, after: first.next! });
      assert.deepEqual(namesOf(second.items), ["c", "d"]);
    });

    it("stays inside the range when a token of another query is given", async () => {
      await using bench = await open(kind);
      await bench.store.commit(["a", "b", "c", "d"].map((name) => write("put", name)));
      const { next } = await bench.store.list({ kind: "doc", limit: 1 });
      const page = await bench.store.list({ kind: "doc", from: "c", after: next! });
      assert.deepEqual(namesOf(page.items), ["c", "d"]);
      const last = await bench.store.list({
        kind: "doc",
        limit: 1,
        order: "descending",
        from: "d",
      });
      assert.equal(last.next, undefined);
    });
  });
}
