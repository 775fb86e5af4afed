import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryKeyStore } from "#base/crypto";
import { silentLogger, type Clock } from "#base/kernel";
import {
  CEREMONY_MS,
  JoinClient,
  MemoryJoinStorage,
  type ConnectToJoin,
  type JoinedIdentity,
} from "#domain/join";
import { privateKeyPem, x509Pem } from "#base/crypto";
import { AuthBench } from "#testing/auth";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";

const host = { hostname: "machine-1", os: "linux", architecture: "x64", version: "1.0.0" };

/** A bot with a token of its own that it can join with, once with a secret. */
async function benchWithToken(clock?: Clock): Promise<AuthBench> {
  const bench = await AuthBench.open(clock ? { clock } : {});
  await bench.create(
    { kind: "bot", version: "v1", metadata: { name: "robot" }, spec: { roles: ["access"] } },
    {
      kind: "token",
      version: "v2",
      metadata: { name: "robot-token" },
      spec: {
        roles: ["Bot"],
        bot_name: "robot",
        join_method: "bound_keypair",
        bound_keypair: { onboarding: { registration_secret: "s3cret" }, recovery: { limit: 5 } },
      },
    },
  );
  return bench;
}

function clientOf(clock: Clock, registrationSecret = "s3cret"): JoinClient {
  return new JoinClient({
    settings: {
      method: "bound_keypair",
      token: "robot-token",
      registrationSecret,
      role: "Bot",
      host,
    },
    storage: new MemoryJoinStorage(),
    keys: new MemoryKeyStore(),
    clock,
    logger: silentLogger,
  });
}

const as = (bench: AuthBench, identity: JoinedIdentity | undefined) =>
  bench.as(
    identity && {
      cert: x509Pem(identity.tlsCertificate),
      key: privateKeyPem(identity.tlsPrivateKey),
    },
  );

const connectTo =
  (bench: AuthBench): ConnectToJoin =>
  async ({ identity, signal }) =>
    await as(bench, identity).join.join({ signal });

describe("joining over the network", () => {
  it("makes a bot of a stranger, and renews it by its certificate", async () => {
    const clock = new ManualClock(Date.now());
    await using bench = await benchWithToken(clock);
    const client = clientOf(clock);
    const signal = new AbortController().signal;
    const joined = await client.join(connectTo(bench), signal);
    assert.equal(joined.refreshed, false);
    await as(bench, joined.identity).auth.submitHeartbeat({ hostname: "machine-1" });
    const renewed = await client.join(connectTo(bench), signal);
    assert.equal(renewed.refreshed, true);
    await as(bench, renewed.identity).auth.submitHeartbeat({ hostname: "machine-1" });
    const events = await bench.events("bot.join");
    assert.deepEqual(
      events.map(({ fields, remote_addr: from }) => [fields.recovery, from]),
      [
        [true, "127.0.0.1"],
        [false, "127.0.0.1"],
      ],
    );
    await until("no ceremony is left", () => bench.rpc.calls === 0);
  });

  it("forgets an attempt when the certificate that it gave is used", async () => {
    const clock = new ManualClock(Date.now());
    await using bench = await benchWithToken(clock);
    const { identity } = await withoutAck(bench, clientOf(clock));
    const attempt = async () => {
      const token = await bench.resources.require("token", "robot-token");
      return token.status?.bound_keypair?.last_attempt;
    };
    assert.ok(await attempt());
    await as(bench, identity).auth.submitHeartbeat({});
    assert.equal(await attempt(), undefined);
  });

  it("tells a stranger nothing but that it was refused", async () => {
    const clock = new ManualClock(Date.now());
    await using bench = await benchWithToken(clock);
    const signal = new AbortController().signal;
    await assert.rejects(clientOf(clock, "wrong").join(connectTo(bench), signal), {
      code: "access_denied",
    });
    const [event] = await bench.events("bot.join.failed");
    assert.equal(event?.fields.token, "robot-token");
    assert.deepEqual(await bench.events("auth.denied"), []);
  });

  it("ends a ceremony that takes too long", async () => {
    const clock = new ManualClock(Date.now());
    await using bench = await benchWithToken(clock);
    const call = await bench.as().join.join();
    const ended = assert.rejects(call.receive(), { code: "timed_out", message: /30 s/ });
    await until("the ceremony is under way", () => bench.rpc.calls === 1);
    await until("its deadline is set", () => clock.pending > 1);
    await clock.advance(CEREMONY_MS);
    await ended;
    await until("no ceremony is left", () => bench.rpc.calls === 0);
  });

  it("refuses an empty message and one out of turn", async () => {
    await using bench = await benchWithToken();
    for (const request of [{}, { message: { case: "ack" as const, value: {} } }]) {
      await using call = await bench.as().join.join();
      await call.send(request);
      await assert.rejects(call.receive(), { code: "bad_parameter" });
    }
  });

  it("takes so many machines from one address at once, and no more", async () => {
    await using bench = await benchWithToken();
    const channels = Array.from({ length: 15 }, () => bench.as());
    const waiting = channels.flatMap(({ join }) => Array.from({ length: 14 }, () => join.join()));
    const calls = await Promise.all(waiting);
    const refused: unknown[] = [];
    for (const call of calls) call.receive().catch((error: unknown) => refused.push(error));
    await until("ten were one too many", () => refused.length === 10);
    assert.ok(refused.every((error) => /too many machines/.test(String(error))));
    for (const call of calls) call.cancel();
    await until("no ceremony is left", () => bench.rpc.calls === 0);
    await using another = await bench.as().join.join();
    await another.send({ message: { case: "givingUp", value: {} } });
    assert.equal(await another.receive(), undefined);
  });
});

/** Joins, but the acknowledgement never leaves the machine. */
async function withoutAck(bench: AuthBench, client: JoinClient) {
  const connect = connectTo(bench);
  return await client.join(async (options) => {
    const transport = await connect(options);
    return {
      send: async (message) => {
        if (message.message.case === "ack") throw new Error("the cable was pulled");
        await transport.send(message);
      },
      receive: async () => await transport.receive(),
      [Symbol.asyncDispose]: async () => await transport[Symbol.asyncDispose](),
    };
  }, new AbortController().signal);
}
