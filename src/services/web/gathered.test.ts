import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { Gathered, type Changed } from "./gathered.ts";

function gather() {
  const clock = new ManualClock();
  const told: Changed[] = [];
  const stop = new AbortController();
  const tell = async (changed: Changed): Promise<void> => void told.push(changed);
  return { clock, told, stop, gathered: new Gathered({ clock, signal: stop.signal, tell }) };
}

test("the first change of a kind is told at once, those of the next second together, once each", async () => {
  const { clock, told, gathered } = gather();
  gathered.add("bot", "a");
  await until("the first", () => told.length === 1);
  for (const name of ["b", "c", "b"]) gathered.add("bot", name);
  gathered.add("lock", "l");
  await until("another kind does not wait", () => told.length === 2);
  await clock.advance(1_000);
  await until("the rest", () => told.length === 3);
  assert.deepEqual(told, [
    { kind: "bot", names: ["a"], all: false },
    { kind: "lock", names: ["l"], all: false },
    { kind: "bot", names: ["b", "c"], all: false },
  ]);
});

test("a change after a quiet while is told at once again", async () => {
  const { clock, told, gathered } = gather();
  gathered.add("bot", "a");
  await until("the first", () => told.length === 1);
  await clock.advance(1_000);
  await clock.advance(1_000);
  gathered.add("bot", "b");
  await until("the second", () => told.length === 2);
});

test("a flood names nobody, and says so", async () => {
  const { clock, told, gathered } = gather();
  gathered.add("bot_instance", "first");
  await until("the first", () => told.length === 1);
  for (let n = 0; n < 5_000; n++) gathered.add("bot_instance", `${n}`);
  await clock.advance(1_000);
  await until("the flood", () => told.length === 2);
  assert.deepEqual(told[1], { kind: "bot_instance", names: [], all: true });
});

test("nothing is told after the end", async () => {
  const { clock, told, stop, gathered } = gather();
  gathered.add("bot", "a");
  await until("the first", () => told.length === 1);
  gathered.add("bot", "b");
  stop.abort();
  await clock.advance(5_000);
  assert.equal(told.length, 1);
});
