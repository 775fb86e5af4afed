// How often issuers are asked, whatever strangers send.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { codeOf, silentLogger, unavailable } from "#base/kernel";
import { KeySet } from "#domain/join";
import { ManualClock } from "#testing/clock";
import { IdTokens } from "#testing/id-tokens";
import { Issuers } from "./issuers.ts";

const MINUTE = 60_000;
const ISSUER = "https://issuer.example";

/** Issuers behind a line that the test answers. */
class Bench {
  readonly clock = new ManualClock();
  readonly issuers: Issuers;
  readonly asked: string[] = [];
  answer: () => Promise<KeySet>;

  constructor(answer: () => Promise<KeySet>) {
    this.answer = answer;
    const fetchKeys = async (issuer: string): Promise<KeySet> => {
      this.asked.push(issuer);
      return await this.answer();
    };
    this.issuers = new Issuers({ fetchKeys, clock: this.clock, logger: silentLogger });
  }

  find(kid?: string, issuer = ISSUER): Promise<KeySet> {
    return this.issuers.find(issuer, kid);
  }

  async fails(kid?: string, issuer?: string): Promise<void> {
    await assert.rejects(this.find(kid, issuer), (error) => codeOf(error) === "unavailable");
  }
}

const tokens = await IdTokens.open(ISSUER, new ManualClock());
const first = KeySet.read(tokens.jwks);
const firstId = tokens.key.kid;
const secondId = await tokens.addKey();
const second = KeySet.read(tokens.jwks);
const broken = async (): Promise<KeySet> => {
  throw unavailable("down");
};

suite("issuers", () => {
  test("are asked once, and again when what they said is ten minutes old", async () => {
    const bench = new Bench(async () => first);
    for (let i = 0; i < 100; i++) assert.equal(await bench.find(firstId), first);
    assert.equal(bench.asked.length, 1);
    await bench.clock.advance(10 * MINUTE - 1);
    await bench.find(firstId);
    assert.equal(bench.asked.length, 1);
    await bench.clock.advance(1);
    await bench.find(firstId);
    assert.equal(bench.asked.length, 2);
  });

  test("are asked by one at a time, and all get the answer", async () => {
    const { promise, resolve } = Promise.withResolvers<KeySet>();
    const bench = new Bench(() => promise);
    const all = Array.from({ length: 50 }, (_, i) => bench.find(`key-${i}`));
    assert.equal(bench.asked.length, 1);
    resolve(first);
    assert.deepEqual([...new Set(await Promise.all(all))], [first]);
    assert.equal(bench.asked.length, 1);
  });

  test("are asked for a new key at once, when the last answer is a minute old", async () => {
    const bench = new Bench(async () => first);
    await bench.find(firstId);
    bench.answer = async () => second;
    await bench.clock.advance(MINUTE);
    assert.equal((await bench.find(secondId)).has(secondId), true);
    assert.equal(bench.asked.length, 2);
  });

  test("are not asked more than once a minute for keys that do not exist", async () => {
    const bench = new Bench(async () => first);
    for (let second = 0; second < 300; second++) {
      assert.equal((await bench.find(`made-up-${second}`)).has(`made-up-${second}`), false);
      await bench.clock.advance(1_000);
    }
    assert.equal(bench.asked.length, 5);
  });

  test("that fail are asked again after ten seconds, and not before", async () => {
    const bench = new Bench(broken);
    for (let i = 0; i < 20; i++) await bench.fails();
    assert.equal(bench.asked.length, 1);
    await bench.clock.advance(10_000);
    await bench.fails();
    assert.equal(bench.asked.length, 2);
    bench.answer = async () => first;
    await bench.clock.advance(10_000);
    assert.equal(await bench.find(), first);
  });

  test("that fail all at once fail all who wait", async () => {
    const bench = new Bench(broken);
    await Promise.all([bench.fails(), bench.fails(), bench.fails()]);
    assert.equal(bench.asked.length, 1);
  });

  test("that fail later are believed for an hour, and then no more", async () => {
    const bench = new Bench(async () => first);
    await bench.find(firstId);
    bench.answer = broken;
    await bench.clock.advance(60 * MINUTE - 1);
    assert.equal(await bench.find(firstId), first);
    await bench.clock.advance(1);
    await bench.fails(firstId);
    await bench.clock.advance(10_000);
    await bench.fails(firstId);
  });

  test("that withdraw a key are heard within ten minutes", async () => {
    const bench = new Bench(async () => second);
    await bench.find(firstId);
    tokens.withdraw();
    const rest = KeySet.read(tokens.jwks);
    bench.answer = async () => rest;
    await bench.clock.advance(10 * MINUTE);
    assert.equal((await bench.find(firstId)).has(firstId), false);
  });

  test("do not answer for each other", async () => {
    const bench = new Bench(async () => first);
    await bench.find();
    bench.answer = broken;
    await bench.fails(undefined, "https://other.example");
    assert.equal(await bench.find(), first);
  });

  test("of whom too many are asked at once are not asked", async () => {
    const { promise, resolve } = Promise.withResolvers<KeySet>();
    const bench = new Bench(() => promise);
    const asking = Array.from({ length: 32 }, (_, i) => bench.find(undefined, `https://i${i}`));
    await assert.rejects(bench.find(), (error) => codeOf(error) === "limit_exceeded");
    resolve(first);
    await Promise.all(asking);
    await bench.clock.advance(10_000);
    assert.equal(await bench.find(), first);
  });

  test("are remembered up to a thousand, the newest", async () => {
    const bench = new Bench(async () => first);
    for (let i = 0; i < 1001; i++) await bench.find(undefined, `https://i${i}`);
    await bench.find(undefined, "https://i1000");
    assert.equal(bench.asked.length, 1001);
    await bench.find(undefined, "https://i0");
    assert.equal(bench.asked.length, 1002);
  });

  test("are not asked once the authority ends", async () => {
    const signals: AbortSignal[] = [];
    const fetchKeys = (_: string, signal: AbortSignal): Promise<KeySet> => {
      signals.push(signal);
      return new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(unavailable("stopped"))),
      );
    };
    const clock = new ManualClock();
    const issuers = new Issuers({ fetchKeys, clock, logger: silentLogger });
    const asking = assert.rejects(issuers.find(ISSUER, undefined));
    issuers[Symbol.dispose]();
    await asking;
    assert.equal(signals[0]?.aborted, true);
  });
});
