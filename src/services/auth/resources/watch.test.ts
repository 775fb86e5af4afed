import assert from "node:assert/strict";
import { test } from "node:test";
import { unavailable } from "#base/kernel";
import type { Caller } from "#domain/access";
import type { Change, Store } from "#base/storage";
import {
  admin,
  callBy,
  clientOf,
  documentOf,
  person,
  refusal,
  ResourceWorld,
  roleFor,
} from "#testing/resource-world";
import { create } from "@bufbuild/protobuf";
import { WatchEventSchema, WatchRequestSchema } from "@tenon/api/tenon/resource/v1/resource";
import { createResourceService } from "./service.ts";

const iteratorOf = <T>(each: AsyncIterable<T>): AsyncIterator<T> => each[Symbol.asyncIterator]();

async function open(feedLength?: number) {
  const world = await ResourceWorld.open(feedLength);
  const service = createResourceService(world);
  const stop = new AbortController();
  const watch = (caller: Caller, ...kinds: string[]) =>
    iteratorOf(service.watch(create(WatchRequestSchema, { kinds }), callBy(caller, stop.signal)));
  return { world, stop, watch, by: clientOf(service, admin) };
}

type Events = Awaited<ReturnType<typeof open>>["watch"] extends (...args: never) => infer W
  ? W
  : never;

/** `put user/a`, `deleted user/a`, `ready`. */
async function next(events: Events, count = 1): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const { value, done } = await events.next();
    if (done) return [...seen, "end"];
    const { event } = create(WatchEventSchema, value);
    if (event.case === "put") {
      const { kind, metadata } = JSON.parse(event.value.json);
      seen.push(`put ${kind}/${metadata.name}@${metadata.revision}`);
    } else if (event.case === "deleted")
      seen.push(`deleted ${event.value.kind}/${event.value.name}`);
    else seen.push(event.case ?? "nothing");
  }
  return seen;
}

test("a watch is ready first, then tells every change of its kinds in order, until it is stopped", async () => {
  const { watch, by, stop, world } = await open();
  await by.create(documentOf("user", "before"));
  const events = watch(admin, "user", "bots");
  assert.deepEqual(await next(events), ["ready"]);
  await by.create(documentOf("user", "a"), documentOf("role", "r"), documentOf("bot", "ci"));
  await by.remove("user", "a");
  const revision = async (kind: "user" | "bot", name: string) =>
    (await world.resources.get(kind, name))?.metadata.revision;
  const seen = await next(events, 4);
  assert.match(seen[0]!, /^put user\/a@\d+$/);
  assert.deepEqual(seen.slice(1), [
    `put bot/ci@${await revision("bot", "ci")}`,
    `put user/bot-ci@${await revision("user", "bot-ci")}`,
    "deleted user/a",
  ]);
  stop.abort();
  assert.deepEqual(await next(events), ["end"]);
});

test("what changes between ready and the next read is not missed", async () => {
  const { watch, by } = await open();
  const events = watch(admin, "user");
  assert.deepEqual(await next(events), ["ready"]);
  await by.create(documentOf("user", "a"));
  await by.create(documentOf("user", "b"));
  assert.deepEqual(
    (await next(events, 2)).map((each) => each.split("@")[0]),
    ["put user/a", "put user/b"],
  );
});

test("a document that expires is told as deleted", async () => {
  const { watch, by, world } = await open();
  const expires = new Date(world.clock.now() + 1_000).toISOString();
  await by.create(documentOf("lock", "l", { target: { user: "a" }, expires }));
  const events = watch(admin, "lock");
  await next(events);
  await world.clock.advance(60_000);
  assert.deepEqual(await next(events), ["deleted lock/l"]);
});

const refused: readonly [string, Caller, string[], string, RegExp][] = [
  ["no kinds", admin, [], "bad_parameter", /name the kinds/],
  ["an unknown kind", admin, ["usr"], "bad_parameter", /did you mean "user"\?/],
  ["a stranger", { kind: "anonymous" }, ["user"], "unauthenticated", /certificate/],
  [
    "who may not read one of the kinds",
    person([roleFor(["user"], ["*"])]),
    ["user", "bot"],
    "access_denied",
    /may not list bot/,
  ],
  [
    "who may only list",
    person([roleFor(["token"], ["list"])]),
    ["token"],
    "access_denied",
    /may not read token/,
  ],
  [
    "who may only read",
    person([roleFor(["token"], ["read"])]),
    ["token"],
    "access_denied",
    /may not list token/,
  ],
];
for (const [sentence, caller, kinds, code, says] of refused) {
  test(`a watch by ${sentence} is refused`, async () => {
    const { watch } = await open();
    await refusal(watch(caller, ...kinds).next(), code, says);
  });
}

test("a reader that is slower than the feed remembers is told to start anew", async () => {
  const { watch, by } = await open(10);
  const events = watch(admin, "user");
  await next(events);
  for (let n = 0; n < 50; n++)
    await by.upsert(documentOf("user", "a", { traits: { n: [`${n}`] } }));
  await refusal(next(events, 50), "limit_exceeded", /fell behind .* list again, then watch anew/);
});

/** Several changes share a position, as a store may have it that numbers batches. */
const change = (position: number, name: string): Change => ({
  position,
  op: "delete",
  kind: "user",
  name,
});
const feed = [change(5, "a"), change(6, "b"), change(6, "c"), change(6, "d"), change(7, "e")];

test("a feed that breaks is taken up where it broke, within a batch too", async () => {
  const { watch, world, stop } = await open();
  const asked: (number | undefined)[] = [];
  world.store.position = async () => 4;
  world.store.watch = async function* ({ after }): AsyncGenerator<Change> {
    asked.push(after);
    let left = asked.length === 1 ? 3 : 10;
    for (const each of feed.filter(({ position }) => position > (after ?? 0))) {
      if (left-- === 0) throw unavailable("the connection broke");
      yield each;
    }
    stop.abort();
  };
  const events = watch(admin, "user");
  assert.deepEqual(await next(events, 7), [
    "ready",
    ...["a", "b", "c", "d", "e"].map((name) => `deleted user/${name}`),
    "end",
  ]);
  assert.deepEqual(asked, [4, 5]);
});

test("a feed that stays broken ends the watch with its error", async () => {
  const { watch, world } = await open();
  let tries = 0;
  // oxlint-disable-next-line require-yield
  world.store.watch = async function* (): AsyncGenerator<Change> {
    tries += 1;
    throw unavailable("the disk is gone");
  } satisfies Store["watch"];
  const events = watch(admin, "user");
  await next(events);
  await refusal(events.next(), "unavailable", /disk is gone/);
  assert.equal(tries, 4);
});
