import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { unavailable } from "#base/kernel";
import { IdempotencyKeys } from "./idempotency.ts";

const pending = (): Promise<number> => new Promise(() => {});

suite("idempotency keys", () => {
  test("make a request once, and give each who asks again the same answer", async () => {
    const keys = new IdempotencyKeys<number>();
    let made = 0;
    const make = async (): Promise<number> => ++made;
    const [first, second] = [keys.once("k", ["a"], make), keys.once("k", ["a"], make)];
    assert.deepEqual(await Promise.all([first, second, keys.once("k", ["a"], make)]), [1, 1, 1]);
  });

  test("are of one request only", async () => {
    const keys = new IdempotencyKeys<number>();
    await keys.once("k", ["a"], async () => 1);
    assert.throws(() => keys.once("k", ["b"], async () => 2), { code: "already_exists" });
  });

  test("are free again when the request was refused", async () => {
    const keys = new IdempotencyKeys<number>();
    const refuse = () => Promise.reject(unavailable("not now"));
    await assert.rejects(keys.once("k", ["a"], refuse), { code: "unavailable" });
    assert.equal(await keys.once("k", ["b"], async () => 2), 2);
  });

  test("are at most 1,000, of which the oldest that are finished go", async () => {
    const keys = new IdempotencyKeys<number>();
    void keys.once("under way", [], pending);
    for (let key = 0; key < 1_000; key++) await keys.once(`k${key}`, [], async () => key);
    assert.equal(await keys.once("k0", ["other"], async () => -1), -1);
    assert.throws(() => keys.once("under way", ["other"], pending), { code: "already_exists" });
    assert.throws(() => keys.once("k999", ["other"], pending), { code: "already_exists" });
  });

  test("are refused when all of them are under way, and when they are long", () => {
    const keys = new IdempotencyKeys<number>();
    for (let key = 0; key < 1_000; key++) void keys.once(`k${key}`, [], pending);
    assert.throws(() => keys.once("more", [], pending), { code: "limit_exceeded" });
    assert.throws(() => keys.once("x".repeat(257), [], pending), { code: "bad_parameter" });
  });
});
