import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, type Ticket } from "./admission.ts";

const ticket = (entered: ReturnType<Admission["enter"]>): Ticket => {
  assert.ok(typeof entered !== "string");
  return entered;
};

test("an address may hold its number of strangers, and another address its own", () => {
  const admission = new Admission({ handshakes: 100, perAddress: 2 });
  const first = ticket(admission.enter("a"));
  ticket(admission.enter("a"));
  assert.equal(admission.enter("a"), "address");
  ticket(admission.enter("b"));
  first.leave();
  ticket(admission.enter("a"));
});

test("who is known no longer counts as a stranger, and leaves but once", () => {
  const admission = new Admission({ handshakes: 100, perAddress: 1 });
  const known = ticket(admission.enter("a"));
  known.known();
  assert.equal(admission.strangers, 0);
  const second = ticket(admission.enter("a"));
  known.leave();
  known.leave();
  assert.equal(admission.strangers, 1);
  second.leave();
  assert.equal(admission.strangers, 0);
});

test("only so many handshakes go on at once", () => {
  const admission = new Admission({ handshakes: 1, perAddress: 100 });
  const first = ticket(admission.enter("a"));
  assert.equal(admission.enter("b"), "handshakes");
  first.handshakeDone();
  first.leave();
  assert.equal(admission.handshakes, 0);
  ticket(admission.enter("b"));
});
