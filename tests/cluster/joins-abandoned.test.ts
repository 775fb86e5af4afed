// Ten thousand ceremonies that strangers open and leave, each at another point: what they took comes
// back, and a machine joins as before.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { boundKeyLine, generateKeyPair, spkiDer } from "#base/crypto";
import { AuthBench, type Services } from "#testing/auth";
import { until } from "#testing/wait";

const CEREMONIES = 10_000;
/** As many of one address as are let in at the same time, on connections of so many each. */
const AT_ONCE = 200;
const ON_ONE = 10;
/** The heap of a process breathes; of what stayed, each of ten thousand would add its kilobytes. */
const MAX_GROWTH_MIB = 8;

const collect = (): void => {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
};
const heapMiB = (): number => {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
};
const descriptors = (): number => readdirSync("/proc/self/fd").length;

const publicKey = boundKeyLine(generateKeyPair("ed25519").publicKey);
const tlsPublicKey = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
const init = () => ({
  attemptId: randomUUID(),
  token: "nobody",
  tlsPublicKey,
  role: "Bot",
  method: { case: "boundKeypair" as const, value: { publicKey } },
});

/** Goes so far, and no further. */
async function abandon(services: Services, number: number): Promise<void> {
  const call = await services.join.join();
  if (number % 4 === 0) return call.cancel();
  await call.send({ message: { case: "init", value: init() } });
  if (number % 4 === 1) return call.cancel();
  const reply = await call.receive();
  assert.equal(reply?.message.case, "challenge");
  if (number % 4 === 2) call.cancel();
  // The rest is left as it is until its connection goes.
}

async function wave(bench: AuthBench, from: number): Promise<void> {
  const channels = Array.from({ length: AT_ONCE / ON_ONE }, () => bench.stranger());
  const ceremonies = channels.flatMap(({ services }, i) =>
    Array.from({ length: ON_ONE }, (_, j) => abandon(services, from + i * ON_ONE + j)),
  );
  await Promise.all(ceremonies);
  for (const { close } of channels) close();
  await until("the server has let go of them", () => bench.rpc.calls === 0);
}

test("ten thousand ceremonies that are opened and abandoned leave nothing", async (context) => {
  const strangerLimits = { burst: 2 * CEREMONIES, perSecond: 1, addresses: 10 };
  await using bench = await AuthBench.open({ strangerLimits });
  await wave(bench, 0);
  await wave(bench, 0);
  const before = { heap: heapMiB(), descriptors: descriptors() };
  for (let from = 0; from < CEREMONIES; from += AT_ONCE) await wave(bench, from);
  await until("the connections are gone", () => descriptors() <= before.descriptors + 2);
  const after = { heap: heapMiB(), descriptors: descriptors() };
  context.diagnostic(JSON.stringify({ before, after }));
  assert.ok(after.heap - before.heap < MAX_GROWTH_MIB, JSON.stringify({ before, after }));
  const call = await bench.as().join.join();
  await call.send({ message: { case: "init", value: init() } });
  assert.equal((await call.receive())?.message.case, "challenge");
  call.cancel();
});
