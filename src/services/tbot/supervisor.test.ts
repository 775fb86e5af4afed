import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { silentLogger } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { isReady, Readiness } from "./readiness.ts";
import { Supervisor, type Service } from "./supervisor.ts";

function setUp() {
  const readiness = new Readiness(new ManualClock());
  return { readiness, supervisor: new Supervisor({ readiness, log: silentLogger }) };
}

function service(name: string, run: Service["run"]): Service {
  return { name, type: "test", run };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

suite("the supervisor", () => {
  test("a service is initializing until it reports", async () => {
    const { readiness, supervisor } = setUp();
    supervisor.start(service("a", ({ signal }) => untilAborted(signal)));
    assert.equal(readiness.get("a").state, "initializing");
    await supervisor.stopAll();
  });

  test("a service that reports is as it says", async () => {
    const { readiness, supervisor } = setUp();
    supervisor.start(
      service("a", async ({ signal, report }) => {
        report("unhealthy", "no route");
        await untilAborted(signal);
      }),
    );
    assert.partialDeepStrictEqual(readiness.get("a"), { state: "unhealthy", reason: "no route" });
    await supervisor.stopAll();
  });

  test("one that ends without error has exited, and counts as ready", async () => {
    const { readiness, supervisor } = setUp();
    supervisor.start(service("a", async () => {}));
    await supervisor.ended();
    assert.equal(readiness.get("a").state, "exited");
    assert.equal(isReady(readiness.all()), true);
  });

  test("one that throws before it reports has failed, with its reason, and the others go on", async () => {
    const { readiness, supervisor } = setUp();
    supervisor.start(
      service("a", async () => {
        throw new Error("boom");
      }),
    );
    supervisor.start(
      service("b", async ({ signal, report }) => {
        report("healthy");
        await untilAborted(signal);
      }),
    );
    await until("a fails", () => readiness.get("a").state === "failed");
    assert.equal(readiness.get("a").reason, "boom");
    assert.equal(readiness.get("b").state, "healthy");
    await supervisor.stopAll();
  });

  test("stopping waits for what is in flight and forgets the service", async () => {
    const { readiness, supervisor } = setUp();
    let ended = false;
    supervisor.start(
      service("a", async ({ signal }) => {
        await untilAborted(signal);
        await new Promise((resolve) => setImmediate(resolve));
        ended = true;
      }),
    );
    await supervisor.stop("a");
    assert.equal(ended, true);
    assert.throws(() => readiness.get("a"), { code: "not_found" });
  });

  test("a name is taken once", async () => {
    const { supervisor } = setUp();
    supervisor.start(service("a", ({ signal }) => untilAborted(signal)));
    assert.throws(() => supervisor.start(service("a", async () => {})), { code: "already_exists" });
    await supervisor.stopAll();
  });

  test("nobody stops what is not there", async () => {
    await assert.rejects(setUp().supervisor.stop("x"), { code: "not_found" });
  });
});

suite("readiness", () => {
  test("waiting for all ends when the last one has reported", async () => {
    const { readiness } = setUp();
    readiness.report({ name: "a", type: "t" }, "initializing");
    readiness.report({ name: "b", type: "t" }, "initializing");
    const waiting = readiness.settled({ signal: new AbortController().signal });
    readiness.report({ name: "a", type: "t" }, "healthy");
    readiness.report({ name: "b", type: "t" }, "unhealthy", "no");
    assert.deepEqual(
      (await waiting).map(({ state }) => state),
      ["healthy", "unhealthy"],
    );
  });

  test("waiting for one does not wait for the others", async () => {
    const { readiness } = setUp();
    readiness.report({ name: "a", type: "t" }, "initializing");
    readiness.report({ name: "b", type: "t" }, "healthy");
    const settled = await readiness.settled({ name: "b", signal: new AbortController().signal });
    assert.equal(settled.length, 1);
  });

  test("a caller that leaves gets what there is", async () => {
    const { readiness } = setUp();
    readiness.report({ name: "a", type: "t" }, "initializing");
    const settled = await readiness.settled({ signal: AbortSignal.abort() });
    assert.equal(settled[0]!.state, "initializing");
  });

  test("an unknown service is named with those that exist", async () => {
    const { readiness } = setUp();
    readiness.report({ name: "a", type: "t" }, "healthy");
    await assert.rejects(readiness.settled({ name: "x", signal: new AbortController().signal }), {
      code: "not_found",
      message: /"x".*a/,
    });
  });
});
