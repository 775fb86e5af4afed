import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { Request, WireWrite } from "./messages.ts";
import { migrate } from "./schema.ts";
import { Writer } from "./writer.ts";

function open(limits: { feedEntries: number; feedBytes: number }): {
  db: DatabaseSync;
  writer: Writer;
} {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  return { db, writer: new Writer(db, { file: "test", ...limits }) };
}

const commit = (...writes: readonly WireWrite[]): Request => ({ do: "commit", now: 0, writes });
const put = (name: string, text = ""): WireWrite => [
  "put",
  "doc",
  name,
  undefined,
  JSON.stringify({ text }),
  null,
  "",
];

const one = (db: DatabaseSync, sql: string): Record<string, unknown> => ({
  ...db.prepare(sql).get(),
});

describe("the writer", () => {
  it("keeps the feed at its number, within one step", () => {
    const { db, writer } = open({ feedEntries: 100, feedBytes: 1e9 });
    for (let i = 0; i < 1_000; i++) writer.run([commit(put(`n${i % 10}`))]);
    const { n } = one(db, "SELECT count(*) AS n FROM changes");
    assert.ok(Number(n) >= 100 && Number(n) < 164, String(n));
    const { gap } = one(db, "SELECT min(changes.position) - forgotten AS gap FROM changes, state");
    assert.equal(gap, 1);
  });

  it("keeps the feed at its size, to the byte, in any script", () => {
    const { db, writer } = open({ feedEntries: 1e6, feedBytes: 100_000 });
    for (let i = 0; i < 500; i++) {
      writer.run([commit(put(`n${i % 10}`, "aü漢😀".repeat(i % 200)), put("b", "\ud800"))]);
      const { kept, known } = one(
        db,
        "SELECT (SELECT total(octet_length(value)) FROM changes) AS kept, feed_bytes AS known FROM state",
      );
      assert.equal(kept, known);
      assert.ok(Number(kept) <= 100_000);
    }
  });

  it("empties the feed for a change that is larger than all of it, and goes on", () => {
    const { db, writer } = open({ feedEntries: 1e6, feedBytes: 1_000 });
    const replies = writer.run([commit(put("a")), commit(put("huge", "x".repeat(5_000)))]);
    assert.deepEqual(
      replies.map((reply) => reply.is),
      ["committed", "committed"],
    );
    assert.deepEqual(one(db, "SELECT * FROM state"), { position: 2, forgotten: 2, feed_bytes: 0 });
  });

  it("takes back positions and feed size with a refused batch", () => {
    const { db, writer } = open({ feedEntries: 100, feedBytes: 1e9 });
    const replies = writer.run([
      commit(put("a", "1")),
      commit(put("b", "22"), ["create", "doc", "a", undefined, "{}", null, ""]),
      commit(put("c", "1")),
    ]);
    assert.deepEqual(
      replies.map((reply) => reply.is),
      ["committed", "failed", "committed"],
    );
    assert.deepEqual(one(db, "SELECT position, feed_bytes FROM state"), {
      position: 2,
      feed_bytes: 24,
    });
    assert.equal(one(db, "SELECT count(*) AS n FROM items")["n"], 2);
  });

  it("fails the whole group when the database breaks, and recovers", () => {
    const { db, writer } = open({ feedEntries: 100, feedBytes: 1e9 });
    db.exec("ALTER TABLE changes RENAME TO hidden");
    const broken = writer.run([commit(put("a")), commit(put("b"))]);
    assert.deepEqual(
      broken.map((reply) => reply.is === "failed" && reply.failure.code),
      ["internal", "internal"],
    );
    db.exec("ALTER TABLE hidden RENAME TO changes");
    assert.deepEqual(writer.run([commit(put("a"))]), [{ is: "committed", position: 1 }]);
  });
});
