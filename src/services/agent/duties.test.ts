import assert from "node:assert/strict";
import { test } from "node:test";
import { Duties } from "./duties.ts";

test("an agent is healthy once all its duties are done, and unhealthy while one fails", async () => {
  const duties = new Duties(["identity", "tunnel"] as const);
  assert.deepEqual(duties.status, { status: "initializing" });
  duties.done("identity");
  assert.deepEqual(duties.status, { status: "initializing" });
  duties.done("tunnel");
  assert.deepEqual(duties.status, { status: "healthy" });
  duties.failed("tunnel", "the proxy is away");
  assert.deepEqual(duties.status, { status: "unhealthy", reason: "tunnel: the proxy is away" });
  duties.done("tunnel");
  assert.deepEqual(duties.status, { status: "healthy" });
});

test("the first time is told once, to who asks before and after", async () => {
  const duties = new Duties(["locks"] as const);
  const before = duties.first("locks");
  duties.done("locks");
  await Promise.all([before, duties.first("locks")]);
});
