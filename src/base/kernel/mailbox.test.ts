import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Mailbox } from "./mailbox.ts";

suite("a mailbox", () => {
  test("gives what was put in, in order, also what comes while it is read", async () => {
    const box = new Mailbox<number>(10);
    const stop = new AbortController();
    for (const item of [1, 2]) box.put(item);
    const seen: number[] = [];
    for await (const item of box.read(stop.signal)) {
      seen.push(item);
      if (item === 2) setImmediate(() => box.put(3));
      if (item === 3) stop.abort();
    }
    assert.deepEqual(seen, [1, 2, 3]);
  });

  test("tells a reader that fell behind, after what it still has", async () => {
    const box = new Mailbox<number>(2);
    for (const item of [1, 2, 3]) box.put(item);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of box.read(new AbortController().signal)) seen.push(item);
    })();
    await assert.rejects(reading, { code: "limit_exceeded" });
    assert.deepEqual(seen, [1, 2]);
  });

  test("ends for a reader that leaves while it waits", async () => {
    const stop = new AbortController();
    const reading = new Mailbox<number>(1).read(stop.signal).next();
    stop.abort();
    assert.equal((await reading).done, true);
  });
});
