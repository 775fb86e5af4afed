import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { silentLogger, type Logger } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { isReady, Readiness } from "./readiness.ts";
import { Supervisor, type Report, type Service } from "./supervisor.ts";

function setUp() {
  const clock = new ManualClock();
  const readiness = new Readiness(clock);
  const warnings: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (message) => void warnings.push(message),
    child: () => log,
  };
  const supervisor = new Supervisor({ readiness, clock, log });
  const events: string[] = [];
  supervisor.watch(({ event, status }) => events.push(`${status.name} ${event}`));
  return { clock, readiness, supervisor, warnings, events };
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

  test("one that ends before it is even started for good is seen, well or badly", async () => {
    const { readiness, supervisor, events } = setUp();
    supervisor.start(
      service("a", () => {
        throw new Error("at once");
      }),
    );
    assert.partialDeepStrictEqual(readiness.get("a"), { state: "failed", reason: "at once" });
    supervisor.start(service("b", ({ report }) => (report("healthy"), Promise.resolve())));
    await until("b ends", () => readiness.get("b").state === "exited");
    assert.deepEqual(events, ["a spawned", "a failed", "b spawned", "b ready", "b exited"]);
  });

  test("a watcher hears every change of state and reason once", async () => {
    const { supervisor, events } = setUp();
    supervisor.start(
      service("a", async ({ signal, report }) => {
        report("healthy");
        report("healthy");
        report("unhealthy", "no route");
        report("unhealthy", "no route");
        report("unhealthy", "no role");
        report("healthy");
        await untilAborted(signal);
      }),
    );
    await supervisor.stop("a");
    assert.deepEqual(
      events,
      ["spawned", "ready", "unhealthy", "unhealthy", "ready", "stopped"].map((each) => `a ${each}`),
    );
  });

  test("a watcher that leaves hears no more", () => {
    const { supervisor } = setUp();
    const heard: unknown[] = [];
    supervisor.watch((event) => heard.push(event))[Symbol.dispose]();
    supervisor.start(service("a", async () => {}));
    assert.deepEqual(heard, []);
  });

  test("one that does not stop is left behind after a while, and what it says later is not heard", async () => {
    const { clock, readiness, supervisor, warnings, events } = setUp();
    const { promise, reject } = Promise.withResolvers<void>();
    let say: Report | undefined;
    supervisor.start(
      service("a", ({ report }) => {
        say = report;
        return promise;
      }),
    );
    const stopping = supervisor.stop("a");
    const twice = supervisor.stop("a");
    await clock.advance(10_000);
    await Promise.all([stopping, twice]);
    assert.deepEqual(warnings, ["did not stop within 10 s: left behind"]);
    say!("healthy");
    reject(new Error("much later"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(readiness.all(), []);
    assert.deepEqual(events, ["a spawned", "a stopped"]);
  });

  test("restarting runs it anew, also after it has failed", async () => {
    const { readiness, supervisor } = setUp();
    let runs = 0;
    supervisor.start(
      service("a", async ({ signal, report }) => {
        if (++runs === 1) throw new Error("the first time");
        report("healthy");
        await untilAborted(signal);
      }),
    );
    await until("it fails", () => readiness.get("a").state === "failed");
    await supervisor.restart("a");
    assert.equal(readiness.get("a").state, "healthy");
    await supervisor.stopAll();
    await assert.rejects(supervisor.restart("a"), { code: "not_found" });
  });

  test("what nobody caught is of the service that it came out of, however late", async () => {
    const { readiness, supervisor } = setUp();
    const blamed = Promise.withResolvers<boolean>();
    supervisor.start(
      service("a", async ({ signal }) => {
        setImmediate(() => blamed.resolve(supervisor.blame(new Error("forgotten"))));
        await untilAborted(signal);
      }),
    );
    supervisor.start(service("b", ({ signal }) => untilAborted(signal)));
    assert.equal(await blamed.promise, true);
    assert.partialDeepStrictEqual(readiness.get("a"), { state: "failed", reason: "forgotten" });
    assert.equal(readiness.get("b").state, "initializing");
    assert.equal(supervisor.blame(new Error("of nobody")), false);
    await supervisor.stopAll();
  });

  test("but not of one without which the bot is none", async () => {
    const { supervisor } = setUp();
    const blamed = Promise.withResolvers<boolean>();
    const run: Service["run"] = async () =>
      void setImmediate(() => blamed.resolve(supervisor.blame(new Error("forgotten"))));
    supervisor.start({ ...service("a", run), vital: true });
    assert.equal(await blamed.promise, false);
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
