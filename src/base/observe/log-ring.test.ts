import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createLogger, LogRing } from "./index.ts";

function setUp(format: "text" | "json" = "text") {
  const ring = new LogRing();
  const written: string[] = [];
  const sink = { write: (line: string) => void written.push(line) };
  return { ring, written, log: createLogger({ level: "info", format, sink, ring }) };
}

const texts = (lines: readonly { text: string }[]): string[] => lines.map(({ text }) => text);

suite("the ring of a log's lines", () => {
  for (const format of ["text", "json"] as const)
    test(`holds what the sink got, as ${format}, and whose each line is`, () => {
      const { ring, written, log } = setUp(format);
      log.info("one");
      log.child({ service: "a" }).warn("two", { error: new Error("x") });
      log.debug("not written");
      assert.deepEqual(
        texts(ring.tail({ count: 0 })).map((text) => `${text}\n`),
        written,
      );
      assert.deepEqual(texts(ring.tail({ count: 0, service: "a" })), [written[1]!.trimEnd()]);
      assert.deepEqual(texts(ring.tail({ count: 1 })), [written[1]!.trimEnd()]);
    });

  test("keeps the newest 5,000 lines, and 4 MiB of them", () => {
    const ring = new LogRing();
    for (let line = 0; line < 20_001; line++) ring.add({ text: String(line) });
    const kept = texts(ring.tail({ count: 0 }));
    assert.deepEqual([kept.length, kept[0], kept.at(-1)], [5_000, "15001", "20000"]);
    for (let line = 0; line < 100; line++) ring.add({ text: "x".repeat(1024 * 1024) });
    assert.equal(ring.tail({ count: 0 }).length, 4);
    ring.add({ text: "x".repeat(9 * 1024 * 1024) });
    assert.equal(ring.tail({ count: 0 }).length, 0);
    ring.add({ text: "after" });
    assert.deepEqual(texts(ring.tail({ count: 0 })), ["after"]);
  });

  test("tells who watches of each line, until they leave", () => {
    const ring = new LogRing();
    const heard: unknown[] = [];
    {
      using _watch = ring.watch((line) => heard.push(line));
      ring.add({ text: "one", service: "a" });
    }
    ring.add({ text: "two" });
    assert.deepEqual(heard, [{ text: "one", service: "a" }]);
  });
});
