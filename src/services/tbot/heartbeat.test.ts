import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { silentLogger, unavailable } from "#base/kernel";
import type { Enrolment } from "#services/enrolment";
import { ManualClock } from "#testing/clock";
import { sendHeartbeats, sendOnlyHeartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import { BotIdentity } from "./identity.ts";
import { Readiness } from "./readiness.ts";

interface Beat {
  readonly startup: boolean;
  readonly uptimeSeconds: bigint;
  readonly configuration: string;
  readonly services: readonly { name: string; status: string; reason: string }[];
}

function setUp(more: Partial<HeartbeatOptions> = {}) {
  const clock = new ManualClock();
  const readiness = new Readiness(clock);
  const beats: Beat[] = [];
  const failures: Error[] = [];
  const submitHeartbeat = async (beat: Beat): Promise<void> => {
    const failure = failures.shift();
    if (failure) throw failure;
    beats.push(beat);
  };
  const client = { auth: { submitHeartbeat } };
  const options: HeartbeatOptions = {
    identity: new BotIdentity({ current: {}, client } as unknown as Enrolment),
    readiness,
    host: { version: "1", hostname: "h", os: "linux", architecture: "x64" },
    kind: "tbot",
    oneshot: false,
    configuration: () => "services: []\n",
    clock,
    random: () => 1,
    log: silentLogger,
    ...more,
  };
  const stop = new AbortController();
  const say = (state: "healthy" | "unhealthy" | "initializing", reason?: string): void =>
    readiness.report({ name: "a", type: "t" }, state, reason);
  const start = async (): Promise<() => Promise<void>> => {
    const ended = sendHeartbeats(options, stop.signal);
    await clock.advance(0);
    return async () => {
      stop.abort();
      await ended;
    };
  };
  return { clock, beats, failures, options, say, start, signal: stop.signal };
}

suite("heartbeats", () => {
  test("tell of a hundred services, and of those that are not well before the others", async () => {
    const { clock, beats, options, start } = setUp();
    for (let at = 0; at < 150; at++) {
      const service = { name: `s${at}`, type: "t" };
      options.readiness.report(service, at === 149 ? "unhealthy" : "healthy");
    }
    const finish = await start();
    await clock.advance(0);
    const told = beats[0]!.services.map(({ name }) => name);
    assert.deepEqual([told.length, ...told.slice(0, 3)], [100, "s0", "s149", "s1"]);
    await finish();
  });

  test("do not wait for ever for a service that does not get ready", async () => {
    const { clock, beats, say, start } = setUp();
    say("initializing");
    const finish = await start();
    await clock.advance(30_000);
    assert.equal(beats[0]!.services[0]!.status, "initializing");
    await finish();
  });

  test("begin when every service has reported, and go on every five minutes", async () => {
    const { clock, beats, say, start } = setUp();
    say("initializing");
    const finish = await start();
    await clock.advance(20_000);
    assert.equal(beats.length, 0);
    say("healthy");
    await clock.advance(0);
    await clock.advance(10 * 60_000);
    assert.deepEqual(
      beats.map(({ startup, uptimeSeconds }) => [startup, Number(uptimeSeconds)]),
      [
        [true, 20],
        [false, 320],
        [false, 620],
      ],
    );
    await finish();
  });

  test("tell a change of a service's state soon, but not every change of many", async () => {
    const { clock, beats, say, start } = setUp();
    say("healthy");
    const finish = await start();
    await clock.advance(60_000);
    say("unhealthy", "no route");
    await clock.advance(0);
    assert.deepEqual(beats.at(-1)!.services[0]!.reason, "no route");
    for (let flap = 0; flap < 100; flap++) {
      say(flap % 2 === 0 ? "healthy" : "unhealthy");
      await clock.advance(100);
    }
    assert.equal(beats.length, 2);
    await clock.advance(10_000);
    assert.equal(beats.length, 3);
    await finish();
  });

  test("say nothing more when only a reason changes", async () => {
    const { clock, beats, say, start } = setUp();
    say("unhealthy", "one");
    const finish = await start();
    say("unhealthy", "two");
    await clock.advance(60_000);
    assert.equal(beats.length, 1);
    await finish();
  });

  test("are tried again when they are lost", async () => {
    const { clock, beats, failures, say, start } = setUp();
    failures.push(unavailable("gone"), unavailable("gone"));
    say("healthy");
    const finish = await start();
    await clock.advance(20_000);
    assert.deepEqual(
      beats.map(({ startup }) => startup),
      [true],
    );
    await finish();
  });

  test("never hold more than the cluster takes", async () => {
    const { beats, say, start } = setUp({ configuration: () => "x".repeat(40_000) });
    say("unhealthy", "x".repeat(5_000));
    const finish = await start();
    assert.equal(beats[0]!.configuration, "");
    assert.equal(beats[0]!.services[0]!.reason.length, 1_024);
    await finish();
  });

  test("of a one-shot bot are one, and its loss is no failure", async () => {
    const { beats, failures, options, signal } = setUp({ oneshot: true });
    await sendOnlyHeartbeat(options, signal);
    assert.equal(beats.length, 1);
    failures.push(unavailable("gone"));
    await sendOnlyHeartbeat(options, signal);
    assert.equal(beats.length, 1);
  });
});
