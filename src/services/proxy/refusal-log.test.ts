import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventDraft } from "#domain/audit";
import { ManualClock } from "#testing/clock";
import type { Refusal } from "./port.ts";
import { RefusalLog } from "./refusal-log.ts";

function start(): { log: RefusalLog; events: EventDraft[]; clock: ManualClock } {
  const events: EventDraft[] = [];
  const clock = new ManualClock();
  const log = new RefusalLog({ emit: (event) => events.push(event) > 0 }, clock);
  return { log, events, clock };
}

const refusal = (about: Partial<Refusal> = {}): Refusal => ({
  route: "reverse",
  remoteAddr: "192.0.2.1",
  reason: "certificate",
  detail: "it expired",
  ...about,
});

test("a certificate that is not accepted is told, with its route and reason", () => {
  const { log, events } = start();
  log.refused(refusal());
  assert.deepEqual(events, [
    {
      type: "auth.denied",
      actor: { kind: "anonymous", name: "" },
      remoteAddr: "192.0.2.1",
      fields: { rpc: "tls/reverse", reason: "it expired" },
    },
  ]);
});

test("a limit that was met is told as such", () => {
  const { log, events } = start();
  log.refused(refusal({ reason: "limit", detail: "address", route: "none" }));
  assert.deepEqual(
    events.map(({ type, fields }) => [type, fields]),
    [["limit.exceeded", { limit: "address" }]],
  );
});

test("what is no TLS, or breaks off, is not worth an event", () => {
  const { log, events } = start();
  log.refused(refusal({ reason: "hello" }));
  log.refused(refusal({ reason: "handshake" }));
  assert.deepEqual(events, []);
});

test("the same from one address is told once a minute", async () => {
  const { log, events, clock } = start();
  for (let time = 0; time < 3; time += 1) {
    for (let many = 0; many < 100; many += 1) log.refused(refusal());
    log.refused(refusal({ remoteAddr: "192.0.2.2" }));
    await clock.advance(60_000);
  }
  assert.equal(events.length, 6);
});

test("a thousand addresses in a minute are told, and no more until it is over", async () => {
  const { log, events, clock } = start();
  const flood = (): void => {
    for (let host = 0; host < 3_000; host += 1)
      log.refused(refusal({ remoteAddr: `2001:db8::${host}` }));
  };
  flood();
  assert.equal(events.length, 1_000);
  await clock.advance(60_000);
  flood();
  assert.equal(events.length, 2_000);
});
