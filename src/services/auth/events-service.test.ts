import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "#base/storage";
import { auditWrite, eventIndexes } from "#domain/audit";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { watchEvents } from "./events-service.ts";

type Request = Parameters<typeof watchEvents>[1];
const everything: Request = { type: "", bot: "", user: "", code: "" };

/** A store with little memory of its changes, and what a reader hears of its events. */
function world(filter: Partial<Request> = {}) {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock, indexes: eventIndexes, feedLength: 50 });
  const stop = new AbortController();
  const { signal } = stop;
  const news = watchEvents({ store, clock }, { ...everything, ...filter }, { signal });
  const certify = async (...bots: string[]): Promise<void> => {
    const writes = bots.map((name) =>
      auditWrite(
        { type: "cert.issue", actor: { kind: "bot", name }, fields: { ttl_seconds: 60 } },
        { clock },
      ),
    );
    await store.commit(writes);
  };
  const next = async () => (await news.next()).value;
  return { clock, store, stop, certify, next };
}

test("the first message says that nothing will be missed, and the next what is new", async () => {
  const { certify, next } = world();
  assert.deepEqual(await next(), {});
  await certify("robot");
  assert.deepEqual(await next(), {
    count: 1,
    types: ["cert.issue"],
    bots: ["robot"],
    users: [],
    all: false,
  });
});

test("whatever comes within a second is told together", async () => {
  const { certify, next, clock } = world();
  await next();
  await certify("a");
  await next();
  const later = next();
  let heard = false;
  void later.then(() => (heard = true));
  await until("it waits", () => clock.pending > 0);
  for (const bot of ["a", "b", "b"]) await certify(bot);
  await clock.advance(999);
  assert.equal(heard, false);
  await clock.advance(1);
  assert.partialDeepStrictEqual(await later, { count: 3, bots: ["a", "b"], all: false });
});

test("only what passes the filter is told", async () => {
  const { certify, next } = world({ bot: "mine" });
  await next();
  await certify("other", "mine", "other");
  assert.partialDeepStrictEqual(await next(), { count: 1, bots: ["mine"] });
});

test("a type that is none is refused", async () => {
  await assert.rejects(world({ type: "bot.jion" }).next(), { code: "bad_parameter" });
});

test("of very many bots it is told only that anything may be new", async () => {
  const { certify, next } = world();
  await next();
  await certify(...Array.from({ length: 40 }, (_, n) => `bot-${n}`));
  assert.partialDeepStrictEqual(await next(), { all: false });
  const many = world();
  await many.next();
  await many.certify(...Array.from({ length: 101 }, (_, n) => `bot-${n}`));
  assert.partialDeepStrictEqual(await many.next(), { all: true, bots: [], types: [] });
});

test("a reader that fell behind the feed hears so, and goes on from now", async () => {
  const { certify, next, clock } = world();
  await next();
  // The feed keeps fifty changes; these go by before the reader gets its turn.
  await certify(...Array.from({ length: 200 }, () => "robot"));
  assert.partialDeepStrictEqual(await next(), { all: true });
  const later = next();
  await until("it waits", () => clock.pending > 0);
  await clock.advance(1_000);
  await certify("after");
  assert.partialDeepStrictEqual(await later, { count: 1, bots: ["after"], all: false });
});

test("it ends with its signal", async () => {
  const { stop, next } = world();
  await next();
  const waiting = next();
  stop.abort();
  assert.equal(await waiting, undefined);
});
