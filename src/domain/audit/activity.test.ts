import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "#base/storage";
import { ManualClock } from "#testing/clock";
import { auditWrite, countActivity, eventIndexes, type EventDraft } from "./index.ts";

const MINUTE_MS = 60_000;
const actor = { kind: "bot", name: "robot", instance_id: "i1" } as const;
const joining = { token: "t", join_method: "token", bot: "robot", instance_id: "i1" } as const;

const told: readonly (readonly [what: string, draft: EventDraft, counted: string | undefined])[] = [
  [
    "a first join",
    { type: "bot.join", actor, fields: { ...joining, recovery: true, generation: 1 } },
    "join",
  ],
  [
    "a refresh",
    { type: "bot.join", actor, fields: { ...joining, recovery: false, generation: 2 } },
    "refresh",
  ],
  [
    "a recovery",
    {
      type: "bot.join",
      actor,
      fields: { ...joining, recovery: true, generation: 1, previous_instance_id: "i0" },
    },
    "recovery",
  ],
  [
    "a reply that was lost and made again",
    {
      type: "bot.join",
      actor,
      fields: { ...joining, recovery: false, generation: 2, repeated: true },
    },
    undefined,
  ],
  ["a certificate", { type: "cert.issue", actor, fields: { ttl_seconds: 60 } }, "certificate"],
  [
    "a connection",
    { type: "app.session.start", actor, fields: { session_id: "s", app: "web" } },
    "connection",
  ],
  [
    "a refused join, by whom it would have been",
    {
      type: "bot.join.failed",
      actor: { kind: "anonymous", name: "" },
      fields: { token: "t", join_method: "token", bot: "robot", reason: "no" },
    },
    "failure",
  ],
  ["a change of the bot", { type: "bot.update", actor, fields: { name: "robot" } }, undefined],
  [
    "another bot's certificate",
    { type: "cert.issue", actor: { kind: "bot", name: "other" }, fields: { ttl_seconds: 60 } },
    undefined,
  ],
];

for (const [what, draft, counted] of told)
  test(`${what} counts as ${counted ?? "nothing"}`, async () => {
    const clock = new ManualClock();
    const store = openMemoryStore({ clock, indexes: eventIndexes });
    await store.commit([auditWrite(draft, { clock })]);
    const query = { bot: "robot", from: clock.now(), stepMs: MINUTE_MS, steps: 1 };
    const found = Object.entries(await countActivity(store, query)).filter(([, [n]]) => n !== 0);
    assert.deepEqual(found, counted === undefined ? [] : [[counted, [1]]]);
  });

test("each event is in the one step in which it was, however steps are cut", async () => {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock, indexes: eventIndexes });
  const from = clock.now();
  const at = [0, 1, MINUTE_MS - 1, MINUTE_MS, 2 * MINUTE_MS, 3 * MINUTE_MS - 1, 3 * MINUTE_MS];
  for (const ms of at) {
    const then = new ManualClock(from + ms);
    const draft = { type: "cert.issue", actor, fields: { ttl_seconds: 60 } } as const;
    await store.commit([auditWrite(draft, { clock: then })]);
  }
  const counts = async (stepMs: number, steps: number) =>
    (await countActivity(store, { bot: "robot", from, stepMs, steps })).certificate;
  assert.deepEqual(await counts(MINUTE_MS, 3), [3, 1, 2]);
  assert.deepEqual(await counts(MINUTE_MS, 4), [3, 1, 2, 1]);
  assert.deepEqual(await counts(10 * MINUTE_MS, 1), [7]);
});

test("what is no longer kept is no longer counted", async () => {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock, indexes: eventIndexes });
  const draft = { type: "cert.issue", actor, fields: { ttl_seconds: 60 } } as const;
  const from = clock.now();
  await store.commit([auditWrite(draft, { clock, retentionMs: MINUTE_MS })]);
  await clock.advance(MINUTE_MS);
  const counted = await countActivity(store, { bot: "robot", from, stepMs: MINUTE_MS, steps: 1 });
  assert.deepEqual(counted.certificate, [0]);
});
