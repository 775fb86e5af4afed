import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import type { Lock } from "#domain/resources";
import { AuthBench } from "#testing/auth";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";

const targetsOf = (json: readonly string[]): readonly unknown[] =>
  json.map((text) => (JSON.parse(text) as Lock).spec.target);

describe("calls of strangers", () => {
  it("are limited by address, whatever they call, and tell the audit log so", async () => {
    const clock = new ManualClock(Date.now());
    const strangerLimits = { burst: 5, perSecond: 1, addresses: 10 };
    await using bench = await AuthBench.open({ clock, strangerLimits });
    const stranger = bench.as();
    for (let i = 0; i < 3; i += 1) await stranger.auth.ping({});
    await assert.rejects(stranger.auth.getStatus({}), { code: "unauthenticated" });
    await stranger.auth.getTrust({});
    for (const call of ["ping", "getTrust", "getStatus"] as const)
      await assert.rejects(stranger.auth[call]({}), { code: "limit_exceeded" });
    const join = await stranger.join.join();
    await assert.rejects(join.receive(), { code: "limit_exceeded" });

    await bench.host({ roles: ["App"] }).auth.ping({});
    await bench.admin().auth.ping({});
    await clock.advance(1_000);
    await stranger.auth.ping({});
    await assert.rejects(stranger.auth.ping({}), { code: "limit_exceeded" });

    const events = await bench.events("limit.exceeded");
    assert.equal(events[0]?.fields.rpc, "tenon.auth.v1.AuthService/Ping");
    assert.equal(events[0].remote_addr, "127.0.0.1");
    assert.equal((await bench.events("auth.denied")).length, 1);
  });

  it("do not fill the audit log, however many are refused", async () => {
    await using bench = await AuthBench.open({
      clock: new ManualClock(Date.now()),
      strangerLimits: { burst: 1_000, perSecond: 1, addresses: 10 },
    });
    const stranger = bench.as();
    for (let i = 0; i < 200; i += 1)
      await assert.rejects(stranger.auth.getStatus({}), { code: "unauthenticated" });
    assert.equal((await bench.events("auth.denied")).length, 30);
    const metrics = await bench.metrics.text();
    assert.match(
      metrics,
      /method="tenon.auth.v1.AuthService\/GetStatus",code="unauthenticated"\} 200/,
    );
  });
});

describe("refusals", () => {
  let bench: AuthBench;
  before(async () => (bench = await AuthBench.open()));
  after(async () => await bench[Symbol.asyncDispose]());

  it("tell the caller what it may not, and the audit log why", async () => {
    await bench.createUser("alice", []);
    const call = bench.user({ user: "alice" }).auth.searchEvents({});
    await assert.rejects(call, {
      code: "access_denied",
      message: /user "alice" may not list event/,
    });
    const [event] = await bench.events("auth.denied");
    assert.deepEqual(event?.actor, { kind: "user", name: "alice" });
    assert.deepEqual(event.fields, {
      rpc: "tenon.auth.v1.AuthService/SearchEvents",
      reason: "no role allows list on event",
    });
  });
});

describe("a call that goes on", () => {
  it("ends within a second when its caller is locked, whatever its handler does", async () => {
    await using bench = await AuthBench.open();
    await bench.createUser("erin", ["editor"]);
    const robot = await bench.createBot("robot", ["access"]);
    const streams = {
      user: bench.user({ user: "erin", roles: ["editor"] }).resources.watch({ kinds: ["role"] }),
      bot: bench.user(robot).auth.watchLocks({}),
    };
    await Promise.all([streams.user.next(), streams.bot.next()]);
    const started = performance.now();
    await bench.lock({ user: "erin" });
    await bench.lock({ bot_instance_id: robot.botInstanceId });
    await assert.rejects(streams.user.next(), { code: "access_denied", message: /is locked/ });
    await assert.rejects(lastOf(streams.bot), { code: "access_denied", message: /is locked/ });
    assert.ok(performance.now() - started < 1_000);
    await until("no call is left", () => bench.rpc.calls === 0);
  });

  it("ends when its certificate does", async () => {
    const clock = new ManualClock(Date.now());
    await using bench = await AuthBench.open({ clock });
    const agent = bench.as(bench.identities.host({}, 600_000));
    const stream = agent.auth.watchLocks({});
    await stream.next();
    await clock.advance(599_000);
    await bench.lock({ user: "someone" });
    assert.equal((await stream.next()).value?.locks.length, 1);
    const ended = assert.rejects(stream.next(), { code: "unauthenticated", message: /expired/ });
    await clock.advance(2_000);
    await ended;
    await assert.rejects(agent.auth.announceApps({}), { code: "unauthenticated" });
  });
});

describe("watching locks", () => {
  it("tells an agent all that are in force, and again after each change", async () => {
    const clock = new ManualClock(Date.now());
    await using bench = await AuthBench.open({ clock });
    const first = await bench.lock({ user: "alice" });
    const stream = bench.host({}).auth.watchLocks({});
    const next = async () => targetsOf((await stream.next()).value?.locks ?? []);
    assert.deepEqual(await next(), [{ user: "alice" }]);

    const started = performance.now();
    await bench.lock({ role: "access" });
    assert.deepEqual(await next(), [{ user: "alice" }, { role: "access" }]);
    await bench.admin().resources.delete({ kind: "lock", name: first });
    assert.deepEqual(await next(), [{ role: "access" }]);
    assert.ok(performance.now() - started < 1_000);
    await stream.return?.();
    await until("no call is left", () => bench.rpc.calls === 0);
  });

  it("tells a bot only of the roles that it may use", async () => {
    await using bench = await AuthBench.open();
    await bench.createUser("alice", []);
    const robot = await bench.createBot("robot", ["access"]);
    await bench.lock({ user: "alice" });
    await bench.lock({ role: "editor" });
    await bench.lock({ role: "access" });
    const stream = bench.user(robot).auth.watchLocks({});
    assert.deepEqual(targetsOf((await stream.next()).value?.locks ?? []), [{ role: "access" }]);
    await stream.return?.();
  });

  it("leaves nothing behind after thousands of watchers have gone", async () => {
    await using bench = await AuthBench.open();
    const agent = bench.host({});
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          for await (const _ of agent.auth.watchLocks({})) break;
        }),
      );
    }
    await until("no call is left", () => bench.rpc.calls === 0);
    assert.equal(bench.rpc.connections, 1);
  });
});

/** Messages that were under way may come before the end. */
async function lastOf(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

describe("information", () => {
  let bench: AuthBench;
  before(async () => (bench = await AuthBench.open()));
  after(async () => await bench[Symbol.asyncDispose]());

  it("about the cluster tells strangers its name, version and address", async () => {
    const { clusterName, version, proxyPublicAddr } = await bench.as().auth.ping({});
    assert.deepEqual(
      [clusterName, version, proxyPublicAddr],
      ["example.test", "0.0.0-test", "proxy.example.test:3080"],
    );
  });

  it("about the state tells the administrator pins, authorities and counts", async () => {
    const status = await bench.admin().auth.getStatus({});
    assert.match(status.caPins[0]!, /^sha256:[0-9a-f]{64}$/);
    assert.equal(status.counts.role, 3n);
    assert.equal(status.authorities.length, 7);
    assert.ok(status.startedAt > 0n);
  });

  it("about authorities comes in known forms only", async () => {
    const { auth } = bench.admin();
    assert.match((await auth.exportAuthority({ type: "host" })).text, /^@cert-authority /);
    assert.match(
      (await auth.exportAuthority({ type: "user", format: "x509" })).text,
      /^-----BEGIN/,
    );
    for (const request of [{ type: "" }, { type: "hsot" }, { type: "user", format: "jks" }])
      await assert.rejects(auth.exportAuthority(request), { code: "bad_parameter" });
    assert.equal((await bench.events("ca.export")).length, 2);
  });

  it("about events comes page by page, newest first", async () => {
    const { auth } = bench.admin();
    for (let i = 0; i < 5; i += 1) await auth.exportAuthority({ type: "app" });
    await bench.audit.flush();
    const first = await auth.searchEvents({ type: "ca.export", pageSize: 3 });
    assert.equal(first.events.length, 3);
    const second = await auth.searchEvents({
      type: "ca.export",
      pageSize: 3,
      pageToken: first.nextPageToken,
    });
    const ids = [...first.events, ...second.events].map(
      (json) => (JSON.parse(json) as { id: string }).id,
    );
    assert.equal(new Set(ids).size, 6);
    assert.deepEqual(ids, ids.toSorted().toReversed());
  });

  it("about events refuses what is no type", async () => {
    const call = bench.admin().auth.searchEvents({ type: "bot.jion" });
    assert.equal(await call.catch(codeOf), "bad_parameter");
  });
});
