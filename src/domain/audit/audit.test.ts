import assert from "node:assert/strict";
import { test } from "node:test";
import {
  badParameter,
  codeOf,
  silentLogger,
  unavailable,
  type LogFields,
  type Logger,
} from "#base/kernel";
import { openMemoryStore, type Store, type Write } from "#base/storage";
import type { Caller } from "#domain/access";
import { parseDocument, storeIndexes, writeOf } from "#domain/resources";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import {
  actorOf,
  AuditLog,
  auditWrite,
  DEFAULT_RETENTION_MS,
  EVENT_KIND,
  eventIndexes,
  eventTypes,
  isEventType,
  MAX_QUEUED,
  systemActor,
  type AuditEvent,
  type EventDraft,
  type EventQuery,
} from "./index.ts";

/** The memory store, with commits that fail as a test says. */
class FailingStore implements Store {
  readonly #store: Store;
  fail: ((writes: readonly Write[]) => Error | undefined) | undefined;
  commits = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async commit(writes: readonly Write[]): ReturnType<Store["commit"]> {
    this.commits += 1;
    const failure = this.fail?.(writes);
    if (failure) throw failure;
    return await this.#store.commit(writes);
  }

  get: Store["get"] = (kind, name) => this.#store.get(kind, name);
  list: Store["list"] = (query) => this.#store.list(query);
  count: Store["count"] = (query) => this.#store.count(query);
  tally: Store["tally"] = (query) => this.#store.tally(query);
  watch: Store["watch"] = (options) => this.#store.watch(options);
  position: Store["position"] = () => this.#store.position();
  [Symbol.asyncDispose] = (): PromiseLike<void> => this.#store[Symbol.asyncDispose]();
}

function world(logger: Logger = silentLogger) {
  const clock = new ManualClock();
  const indexes = [...storeIndexes, ...eventIndexes];
  const store = new FailingStore(openMemoryStore({ clock, indexes }));
  const counts = { written: 0, refused: 0 };
  const log = new AuditLog({
    store,
    clock,
    logger,
    random: () => 0.5,
    count: (outcome, events) => (counts[outcome] += events),
  });
  return { clock, store, log, counts };
}

const alice = { kind: "user", name: "alice" } as const;
const roleMade = (name: string): EventDraft => ({
  type: "role.create",
  actor: alice,
  remoteAddr: "192.0.2.1:4242",
  fields: { name },
});
const joined = (bot: string): EventDraft => ({
  type: "bot.join",
  actor: { kind: "bot", name: bot, instance_id: "i1" },
  fields: {
    token: "t",
    join_method: "token",
    bot,
    instance_id: "i1",
    recovery: true,
    generation: 1,
  },
});

async function everyEvent(log: AuditLog, query: EventQuery): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  let pageToken = "";
  do {
    const page = await log.search({ ...query, pageToken });
    events.push(...page.events);
    pageToken = page.nextPageToken ?? "";
  } while (pageToken);
  return events;
}

const namesOf = (events: readonly AuditEvent[]) =>
  events.map(({ fields }) => fields.name ?? fields.bot ?? fields.refused);

test("an event carries id, time, type, code, actor, address and its fields", async () => {
  const { log, clock } = world();
  assert.equal(log.emit(roleMade("web")), true);
  await log.flush();
  const [event] = (await log.search({})).events;
  assert.match(event!.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const { id: _, ...rest } = event!;
  assert.deepEqual(rest, {
    time: new Date(clock.now()).toISOString(),
    type: "role.create",
    code: "success",
    actor: alice,
    remote_addr: "192.0.2.1:4242",
    fields: { name: "web" },
  });
});

test("an event is committed with what it records, or not at all", async () => {
  const { log, store } = world();
  const document = { kind: "user", version: "v1", metadata: { name: "a" }, spec: {} };
  const create = writeOf(parseDocument(document), "create");
  const made: EventDraft = { type: "user.create", actor: alice, fields: { name: "a" } };
  await store.commit([create, log.write(made)]);
  await assert.rejects(
    store.commit([create, log.write(made)]),
    (e) => codeOf(e) === "already_exists",
  );
  assert.equal((await log.search({})).events.length, 1);
});

test("types ending in failed, denied or exceeded are failures, and only those", () => {
  for (const [type, { code }] of Object.entries(eventTypes)) {
    const fails = /\.(failed|denied|exceeded|gap)$/.test(type);
    assert.equal(code, fails ? "failure" : "success", type);
  }
  assert.equal(isEventType("toString"), false);
});

test("texts of strangers are cut, and lists end", async () => {
  const { log } = world();
  log.emit({
    type: "agent.join.failed",
    actor: { kind: "anonymous", name: "x".repeat(10_000) },
    fields: {
      token: "y".repeat(10_000),
      join_method: "token",
      roles: Array.from({ length: 1_000 }, () => "r"),
      reason: "no",
    },
  });
  await log.flush();
  const [event] = (await log.search({})).events;
  assert(JSON.stringify(event).length < 6_000);
  assert.equal((event!.fields.roles as string[]).length, 100);
});

test("a field that an event does not have is refused", () => {
  const draft = { type: "role.create", actor: alice, fields: { name: "a", secret: "x" } };
  assert.throws(() => world().log.write(draft as unknown as EventDraft));
});

test("events stay in order, also within a millisecond and across batches", async () => {
  const { log, clock, store } = world();
  const names = Array.from({ length: 1_300 }, (_, n) => `r${n}`);
  for (const [n, name] of names.entries()) {
    if (n % 500 === 499) await clock.advance(1);
    assert(log.emit(roleMade(name)));
  }
  await log.flush();
  assert.deepEqual(namesOf(await everyEvent(log, { ascending: true, pageSize: 77 })), names);
  assert.deepEqual(namesOf(await everyEvent(log, { pageSize: 500 })), names.toReversed());
  assert(store.commits < 10);
});

test("a store that fails delays events, and loses none nor their order", async () => {
  const { log, store, clock, counts } = world();
  store.fail = () => unavailable("the disk is full");
  for (const name of ["a", "b", "c"]) log.emit(roleMade(name));
  await until("the first try has failed", () => clock.pending > 0 && store.commits === 1);
  await clock.advance(20_000);
  log.emit(roleMade("d"));
  assert.deepEqual((await log.search({})).events, []);
  store.fail = undefined;
  const flushed = log.flush();
  await clock.advance(20_000);
  await flushed;
  assert.deepEqual(namesOf((await log.search({ ascending: true })).events), ["a", "b", "c", "d"]);
  assert.deepEqual(counts, { written: 4, refused: 0 });
});

test("an event that the store refuses for itself does not hold up the others", async () => {
  const { log, store, counts } = world();
  store.fail = (writes) =>
    writes.some((write) => JSON.stringify(write).includes("poison"))
      ? badParameter("a key is too long")
      : undefined;
  for (const name of ["a", "poison", "b"]) log.emit(roleMade(name));
  await log.flush();
  assert.deepEqual(namesOf((await log.search({ ascending: true })).events), ["a", "b"]);
  assert.deepEqual(counts, { written: 2, refused: 1 });
});

test("a full queue refuses, counts, logs once, and the log tells the gap itself", async () => {
  const lines: [string, LogFields | undefined][] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (message, fields) => lines.push([message, fields]),
  };
  const { log, store, clock, counts } = world(logger);
  store.fail = () => unavailable("gone");
  for (let n = 0; n < MAX_QUEUED; n++) assert(log.emit(roleMade(`r${n}`)));
  for (let n = 0; n < 3; n++) assert.equal(log.emit(roleMade("late")), false);
  assert.equal(counts.refused, 3);
  assert.equal(lines.length, 1);
  store.fail = undefined;
  await until("the first try has failed", () => clock.pending > 0);
  const flushed = log.flush();
  await clock.advance(20_000);
  await flushed;
  assert(log.emit(roleMade("after")));
  assert(log.emit(roleMade("last")));
  await log.flush();
  const { events } = await log.search({ pageSize: 3 });
  assert.deepEqual(namesOf(events), ["last", "after", 3]);
  assert.equal(events[2]!.type, "audit.gap");
  assert.equal(events[2]!.code, "failure");
});

test("closing tries once more, then says what is lost", async () => {
  for (const recovered of [true, false]) {
    const lost: unknown[] = [];
    const logger: Logger = { ...silentLogger, error: (_, fields) => lost.push(fields?.["events"]) };
    const { log, store, clock } = world(logger);
    store.fail = () => unavailable("gone");
    log.emit(roleMade("a"));
    await until("the first try has failed", () => clock.pending > 0);
    if (recovered) store.fail = undefined;
    await log[Symbol.asyncDispose]();
    assert.deepEqual(lost, recovered ? [] : [1]);
    assert.equal(clock.pending, recovered ? 1 : 0);
    assert.equal(log.emit(roleMade("b")), false);
  }
});

test("a search finds by time, type, bot and user, alone and together", async () => {
  const { log, clock } = world();
  const start = clock.now();
  const drafts: EventDraft[] = [
    joined("ci"),
    roleMade("web"),
    { type: "bot.create", actor: alice, fields: { name: "ci", roles: [] } },
    { type: "user.delete", actor: systemActor, fields: { name: "alice" } },
    joined("cd"),
    {
      type: "bot.join.failed",
      actor: { kind: "anonymous", name: "" },
      fields: { token: "t", join_method: "token", bot: "ci", reason: "locked" },
    },
  ];
  for (const draft of drafts) {
    log.emit(draft);
    await clock.advance(1_000);
  }
  await log.flush();
  const found = async (query: EventQuery): Promise<number[]> => {
    const events = await everyEvent(log, { ...query, ascending: true });
    const down = await everyEvent(log, { ...query, pageSize: 1 });
    assert.deepEqual(down.toReversed(), events);
    return events.map(({ time }) => (Date.parse(time) - start) / 1_000);
  };
  assert.deepEqual(await found({}), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(await found({ from: start + 1_000, to: start + 3_000 }), [1, 2]);
  assert.deepEqual(await found({ type: "bot.join" }), [0, 4]);
  assert.deepEqual(await found({ bot: "ci" }), [0, 2, 5]);
  assert.deepEqual(await found({ bot: "c" }), []);
  assert.deepEqual(await found({ user: "alice" }), [1, 2, 3]);
  assert.deepEqual(await found({ bot: "ci", user: "alice" }), [2]);
  assert.deepEqual(await found({ bot: "ci", type: "bot.join" }), [0]);
  assert.deepEqual(await found({ bot: "ci", from: start + 1_000 }), [2, 5]);
  assert.deepEqual(await found({ user: "alice", type: "role.create", to: start + 1_000 }), []);
});

const refusedSearches: readonly [string, EventQuery, RegExp][] = [
  ["an unknown type", { type: "bot.joined" }, /"bot.joined" is not a type.*"bot.join"/],
  ["a token of another query", { pageToken: "AAAA" }, /page token/],
  ["a page that is too large", { pageSize: 5_000 }, /page size/],
  ["a time beyond all times", { from: 2 ** 50 }, /not a time/],
];
for (const [sentence, query, says] of refusedSearches) {
  test(`a search refuses ${sentence}`, async () => {
    await assert.rejects(world().log.search(query), (error: Error) => {
      assert.equal(codeOf(error), "bad_parameter");
      assert.match(error.message, says);
      return true;
    });
  });
}

test("events go when audit_retention has passed", async () => {
  const { log, store, clock } = world();
  const config = {
    kind: "cluster_config",
    version: "v1",
    metadata: { name: "cluster" },
    spec: { cluster_name: "c", audit_retention: "1h" },
  };
  await store.commit([writeOf(parseDocument(config), "create")]);
  log.write(roleMade("reads the setting"));
  await clock.advance(0);
  log.emit(roleMade("a"));
  await log.flush();
  await clock.advance(3_599_000);
  assert.equal((await log.search({})).events.length, 1);
  await clock.advance(1_000);
  assert.equal((await log.search({})).events.length, 0);
});

test("without a setting events stay for 90 days", () => {
  const clock = new ManualClock();
  const write = auditWrite(roleMade("a"), { clock });
  assert.partialDeepStrictEqual(write, {
    kind: EVENT_KIND,
    expires: clock.now() + DEFAULT_RETENTION_MS,
  });
});

test("the actor of an event is who called", () => {
  const identity = {
    user: "bot-ci",
    roles: [],
    traits: {},
    logins: [],
    allowReissue: false,
    expires: 0,
  };
  const callers: readonly [Caller, object][] = [
    [{ kind: "admin" }, { kind: "admin", name: "" }],
    [{ kind: "anonymous" }, { kind: "anonymous", name: "" }],
    [
      { kind: "host", identity: { hostId: "h", roles: [], expires: 0 } },
      { kind: "host", name: "h" },
    ],
    [
      { kind: "user", identity, roles: [] },
      { kind: "user", name: "bot-ci" },
    ],
    [
      { kind: "user", identity: { ...identity, botName: "ci", botInstanceId: "i" }, roles: [] },
      { kind: "bot", name: "ci", instance_id: "i" },
    ],
  ];
  for (const [caller, actor] of callers) assert.deepEqual(actorOf(caller), actor);
});
