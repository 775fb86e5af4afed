import assert from "node:assert/strict";
import { test } from "node:test";
import { accessDenied } from "#base/kernel";
import type { EventDraft } from "#domain/audit";
import { ManualClock } from "#testing/clock";
import { OpenSessions } from "./open-sessions.ts";
import { AppSession } from "./session.ts";

function start() {
  const events: EventDraft[] = [];
  const open = new OpenSessions();
  const clock = new ManualClock();
  const session = new AppSession({
    app: "web",
    identity: {
      user: "bot-ci",
      botName: "ci",
      roles: [],
      traits: {},
      logins: [],
      allowReissue: false,
      expires: 0,
    },
    remoteAddr: "192.0.2.1",
    audit: { emit: (event) => events.push(event) > 0 },
    clock,
    open,
  });
  return { session, events, clock, open };
}

test("many connections of one session are one start and one end, with the bytes of all", async () => {
  const { session, events, clock } = start();
  session.began();
  session.began();
  session.ended({ aToB: 1, bToA: 10 });
  await clock.advance(1_500);
  session.closed();
  assert.deepEqual(
    events.map(({ type }) => type),
    ["app.session.start"],
  );
  session.ended({ aToB: 2, bToA: 20 });
  const [began, ended] = events;
  const { session_id } = began!.fields as { session_id: string };
  assert.deepEqual(ended, {
    type: "app.session.end",
    actor: { kind: "bot", name: "ci" },
    remoteAddr: "192.0.2.1",
    fields: { session_id, app: "web", bytes_up: 3, bytes_down: 30, duration_ms: 1_500 },
  });
});

test("a session without a connection is no session", () => {
  const { session, events } = start();
  session.closed();
  assert.deepEqual(events, []);
});

test("what cut the session is the reason of its end", () => {
  const { session, events } = start();
  session.began();
  session.ended({ aToB: 0, bToA: 0 });
  session.closed("access_denied");
  assert.equal((events[1]!.fields as { reason: string }).reason, "access_denied");
});

test("a refusal is told once, with the reason that the client does not hear", () => {
  const { session, events } = start();
  const refusal = accessDenied("no", { detail: 'role "x" denies the application' });
  for (let time = 0; time < 100; time += 1) session.denied(refusal);
  assert.deepEqual(
    events.map(({ type, fields }) => [type, fields]),
    [["app.session.denied", { app: "web", reason: 'role "x" denies the application' }]],
  );
});

test("while it goes on it is among the open sessions, with its bytes so far", async () => {
  const { session, clock, open } = start();
  assert.deepEqual(open.list(), []);
  const startedAt = clock.now();
  session.began();
  const counts = { aToB: 0, bToA: 0 };
  session.carries(counts);
  counts.aToB = 5;
  await clock.advance(1_000);
  session.began();
  session.carries({ aToB: 1, bToA: 2 });
  const [shown] = open.list();
  assert.partialDeepStrictEqual(shown, {
    app: "web",
    bot: "ci",
    startedAt,
    bytesUp: 6,
    bytesDown: 2,
  });
  session.ended(counts);
  assert.equal(open.list()[0]?.bytesUp, 6);
  session.closed();
  assert.equal(open.list().length, 1);
  session.ended({ aToB: 1, bToA: 2 });
  assert.deepEqual(open.list(), []);
});
