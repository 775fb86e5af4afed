import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accessDenied,
  canceled,
  CodedError,
  errorCodes,
  notFound,
  systemClock,
  unavailable,
} from "#base/kernel";
import { RpcChannel, type RpcContext } from "#base/rpc";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { JoinService } from "@tenon/api/tenon/join/v1/join";
import { createServer, type AddressInfo, type Server } from "node:net";
import { HANDSHAKE_MS } from "./tls-credentials.ts";
import { derFromPem } from "#base/crypto";
import { authority, RpcBench } from "#testing/rpc";
import { TestAuthority } from "#testing/tls";
import { until } from "#testing/wait";
import { ManualClock } from "#testing/clock";

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });

describe("a unary call", () => {
  it("gives the handler the request and the caller, and the client the answer", async () => {
    let seen: RpcContext | undefined;
    await using bench = await RpcBench.open({
      auth: {
        searchEvents: (request, context) => {
          seen = context;
          return { events: [request.type], nextPageToken: "ü" };
        },
      },
    });
    const answer = await bench.auth().searchEvents({ type: "bot.join" });
    assert.deepEqual([answer.events, answer.nextPageToken], [["bot.join"], "ü"]);
    assert.equal(seen?.method, "tenon.auth.v1.AuthService/SearchEvents");
    assert.equal(seen?.remoteAddr, "127.0.0.1");
    assert.equal(seen?.local, false);
    assert.equal(seen?.peerCertificate, undefined);
  });

  for (const code of errorCodes) {
    it(`brings the error code ${code} and its sentence to the client exactly`, async () => {
      const sentence = `"rö%20bot\n✓" is wrong; write 100%`;
      await using bench = await RpcBench.open({
        auth: {
          ping: () => {
            throw new CodedError(code, sentence, { detail: "for the log only" });
          },
        },
      });
      await assert.rejects(bench.auth().ping({}), { code, message: sentence, detail: undefined });
    });
  }

  it("hides what an unexpected error says, and logs it under the id it gives", async () => {
    await using bench = await RpcBench.open({
      auth: {
        ping: () => {
          throw new TypeError("the password is swordfish");
        },
      },
    });
    const error: unknown = await bench
      .auth()
      .ping({})
      .catch((error: unknown) => error);
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, "internal");
    assert.doesNotMatch(error.message, /swordfish/);
    const id = /id ([0-9a-f-]{36})$/.exec(error.message)?.[1];
    assert.ok(id);
    assert.ok(bench.log.some((line) => line.includes(id) && line.includes("swordfish")));
  });

  it("cuts a sentence that would not fit into the trailers, and mends broken text", async () => {
    await using bench = await RpcBench.open({
      auth: {
        ping: () => {
          throw notFound(`\ud800${"long ".repeat(50_000)}`);
        },
      },
    });
    await assert.rejects(bench.auth().ping({}), { code: "not_found", message: /^\ufffdlong .*…$/ });
  });

  it("ends at the client's deadline, on both sides", async () => {
    let reason: unknown;
    await using bench = await RpcBench.open({
      auth: {
        ping: async (_request, { signal }) => {
          await never(signal).catch((error: unknown) => (reason = error));
          return {};
        },
      },
    });
    await assert.rejects(bench.auth().ping({}, { deadlineMs: 50 }), { code: "timed_out" });
    await until("the handler was told", () => reason);
    assert.equal(bench.server.calls, 0);
  });

  it("ends at the server's own deadline when the client would wait longer", async () => {
    const clock = new ManualClock();
    let started = false;
    await using bench = await RpcBench.open({
      clock,
      auth: {
        ping: (_request, { signal }) => {
          started = true;
          return never(signal);
        },
      },
    });
    const call = bench.auth({ deadlineMs: 3_600_000 }).ping({});
    const refused = assert.rejects(call, { code: "timed_out", message: /30 seconds/ });
    await until("the call has started", () => started);
    await clock.advance(30_000);
    await refused;
  });

  it("ends when its signal aborts, and tells the handler", async () => {
    let reason: unknown;
    await using bench = await RpcBench.open({
      auth: {
        ping: async (_request, { signal }) => {
          await never(signal).catch((error: unknown) => (reason = error));
          return {};
        },
      },
    });
    const controller = new AbortController();
    const call = bench.auth().ping({}, { signal: controller.signal });
    const refused = assert.rejects(call, { code: "canceled" });
    await until("the call is there", () => bench.server.calls === 1);
    controller.abort();
    await refused;
    await until("the handler was told", () => reason);
    assert.equal((reason as CodedError).code, "canceled");
  });

  it("does not start with a signal that has aborted already", async () => {
    await using bench = await RpcBench.open({ auth: { ping: () => ({}) } });
    const call = bench.auth().ping({}, { signal: AbortSignal.abort(accessDenied("locked out")) });
    await assert.rejects(call, { code: "access_denied", message: "locked out" });
    assert.equal(bench.server.calls, 0);
  });

  it("is canceled when its channel closes", async () => {
    await using bench = await RpcBench.open({
      auth: { ping: (_request, { signal }) => never(signal) },
    });
    const channel = bench.channel();
    const call = channel.client(AuthService).ping({});
    const refused = assert.rejects(call, { code: "canceled" });
    await until("the call is there", () => bench.server.calls === 1);
    channel.close();
    await refused;
    await until("the connection is gone", () => bench.server.connections === 0);
    await assert.rejects(channel.client(AuthService).ping({}), { code: "unavailable" });
  });

  it("runs thousands of times at once and leaves nothing behind", async () => {
    await using bench = await RpcBench.open({
      auth: { searchEvents: (request) => ({ nextPageToken: request.pageToken }) },
    });
    const client = bench.auth();
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, i) => client.searchEvents({ pageToken: `${round}/${i}` })),
      );
      answers.forEach(({ nextPageToken }, i) => assert.equal(nextPageToken, `${round}/${i}`));
    }
    assert.equal(bench.server.calls, 0);
    assert.equal(bench.server.connections, 1);
  });
});

describe("the caller's certificate", () => {
  const contextOf = async (tls: { cert: string; key: string } | undefined) => {
    let seen: RpcContext[] = [];
    await using bench = await RpcBench.open({
      auth: {
        ping: (_request, context) => {
          seen = [...seen, context];
          return {};
        },
      },
    });
    const client = bench.auth(tls ? { tls } : {});
    await client.ping({});
    await client.ping({});
    return seen;
  };

  it("reaches the handler when its chain holds, as one object for all calls", async () => {
    const [first, second] = await contextOf(authority.issue("clientAuth"));
    assert.ok(first?.peerCertificate);
    assert.equal(first.peerCertificate, second?.peerCertificate);
    assert.equal(first.unverifiedCertificate, undefined);
  });

  const faults = [
    ["has expired", authority.issue("clientAuth", { to: -60_000 })],
    ["is not valid yet", authority.issue("clientAuth", { from: 1_800_000 })],
    ["is for servers", authority.issue("serverAuth")],
    ["is of another authority", new TestAuthority().issue("clientAuth")],
  ] as const;
  for (const [fault, certificate] of faults) {
    it(`does not when it ${fault}, but the log may say why`, async () => {
      const [context] = await contextOf(certificate);
      assert.equal(context?.peerCertificate, undefined);
      assert.deepEqual(context?.unverifiedCertificate, derFromPem(certificate.cert)[0]);
    });
  }
});

describe("a server stream", () => {
  it("gives every message in order, then ends", async () => {
    await using bench = await RpcBench.open({
      auth: {
        async *watchLocks() {
          for (let i = 0; i < 500; i += 1) yield { locks: [String(i)] };
        },
      },
    });
    const seen: number[] = [];
    for await (const { locks } of bench.auth().watchLocks({})) seen.push(Number(locks[0]));
    assert.deepEqual(
      seen,
      Array.from({ length: 500 }, (_, i) => i),
    );
    assert.equal(bench.server.calls, 0);
  });

  it("tells the handler when the client leaves the loop", async () => {
    let reason: unknown;
    await using bench = await RpcBench.open({
      auth: {
        async *watchLocks(_request, { signal }) {
          yield { locks: ["one"] };
          await never(signal).catch((error: unknown) => (reason = error));
        },
      },
    });
    for await (const { locks } of bench.auth().watchLocks({})) {
      assert.deepEqual(locks, ["one"]);
      break;
    }
    await until("the handler was told", () => reason);
    assert.equal(bench.server.calls, 0);
  });

  it("brings an error after the messages before it", async () => {
    await using bench = await RpcBench.open({
      auth: {
        async *watchLocks() {
          yield { locks: ["one"] };
          throw accessDenied("this caller is locked");
        },
      },
    });
    const stream = bench.auth().watchLocks({});
    assert.deepEqual((await stream.next()).value?.locks, ["one"]);
    await assert.rejects(stream.next(), {
      code: "access_denied",
      message: "this caller is locked",
    });
  });

  it("slows a handler down to the speed of a client that does not read", async () => {
    let sent = 0;
    await using bench = await RpcBench.open({
      auth: {
        async *watchLocks(_request, { signal }) {
          for (; sent < 10_000 && !signal.aborted; sent += 1) yield { locks: ["x".repeat(10_000)] };
        },
      },
    });
    const stream = bench.auth().watchLocks({});
    await stream.next();
    let last = -1;
    await until("the handler stands still", async () => {
      const still = sent === last;
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return still;
    });
    assert.ok(sent < 1_000, `${sent} messages went into memory`);
    await stream.return?.();
  });

  it("is over for the server also when the handler does not notice", async () => {
    await using bench = await RpcBench.open({
      auth: {
        async *watchLocks() {
          yield {};
          await new Promise(() => {});
        },
      },
    });
    for await (const _ of bench.auth().watchLocks({})) break;
    await until("the call is over", () => bench.server.calls === 0);
  });

  it("lives longer than the deadline of its opening", async () => {
    const clock = new ManualClock();
    const next = Promise.withResolvers<void>();
    await using bench = await RpcBench.open({
      clock,
      auth: {
        async *watchLocks() {
          yield { locks: ["one"] };
          await next.promise;
          yield { locks: ["two"] };
        },
      },
    });
    const stream = bench.auth({ clock }).watchLocks({});
    await stream.next();
    await clock.advance(3_600_000);
    next.resolve();
    assert.deepEqual((await stream.next()).value?.locks, ["two"]);
    await stream.return?.();
  });
});

describe("a bidi stream", () => {
  it("carries messages both ways and ends when both are done", async () => {
    await using bench = await RpcBench.open({
      async *join(requests) {
        for await (const { message } of requests) {
          assert.equal(message.case, "solution");
          if (message.case === "solution")
            yield { message: { case: "challenge", value: { document: message.value.jws } } };
        }
      },
    });
    await using call = await bench.join().join();
    for (const jws of ["one", "two"]) {
      await call.send({ message: { case: "solution", value: { jws } } });
      const answer = await call.receive();
      assert.equal(answer?.message.case === "challenge" && answer.message.value.document, jws);
    }
    call.close();
    assert.equal(await call.receive(), undefined);
    await until("the call is over", () => bench.server.calls === 0);
  });

  it("rejects receive and send with the server's refusal", async () => {
    await using bench = await RpcBench.open({
      // eslint-disable-next-line require-yield
      async *join(requests) {
        await requests.next();
        throw unavailable("try another proxy");
      },
    });
    await using call = await bench.join().join();
    await call.send({ message: { case: "ack", value: {} } });
    const refusal = { code: "unavailable", message: "try another proxy" };
    await assert.rejects(call.receive(), refusal);
    await assert.rejects(call.send({ message: { case: "ack", value: {} } }), refusal);
  });

  it("rejects send when the server has ended the call well", async () => {
    await using bench = await RpcBench.open({
      async *join() {
        yield { message: { case: "acknowledged", value: {} } };
      },
    });
    await using call = await bench.join().join();
    assert.equal((await call.receive())?.message.case, "acknowledged");
    assert.equal(await call.receive(), undefined);
    await assert.rejects(call.send({ message: { case: "ack", value: {} } }), {
      code: "unavailable",
      message: "the server has ended the call",
    });
  });

  it("ends the handler's requests, or aborts its signal, when the client cancels", async () => {
    let ended = false;
    await using bench = await RpcBench.open({
      // eslint-disable-next-line require-yield
      async *join(requests) {
        try {
          for await (const request of requests) assert.ok(request);
        } finally {
          ended = true;
        }
      },
    });
    const call = await bench.join().join();
    await until("the call is there", () => bench.server.calls === 1);
    call.cancel();
    await until("the handler has ended", () => ended);
    await until("the call is over", () => bench.server.calls === 0);
  });

  it("is ended by its signal while it waits", async () => {
    await using bench = await RpcBench.open({
      // eslint-disable-next-line require-yield
      async *join(_requests, { signal }) {
        await never(signal);
      },
    });
    const controller = new AbortController();
    const call = await bench.join().join({ signal: controller.signal });
    const refused = assert.rejects(call.receive(), { code: "canceled", message: "enough" });
    await until("the call is there", () => bench.server.calls === 1);
    controller.abort(canceled("enough"));
    await refused;
    await until("the call is over", () => bench.server.calls === 0);
  });
});

describe("shutdown", () => {
  it("lets a unary call finish, ends streams with unavailable, and refuses new connections", async () => {
    const finish = Promise.withResolvers<void>();
    await using bench = await RpcBench.open({
      auth: {
        ping: async () => {
          await finish.promise;
          return { clusterName: "done" };
        },
        async *watchLocks(_request, { signal }) {
          yield {};
          await never(signal);
        },
      },
    });
    const client = bench.auth();
    const stream = client.watchLocks({});
    await stream.next();
    const call = client.ping({});
    await until("both calls are there", () => bench.server.calls === 2);
    const down = bench.server.shutdown(10_000);
    await assert.rejects(stream.next(), { code: "unavailable", message: /shutting down/ });
    finish.resolve();
    assert.equal((await call).clusterName, "done");
    await down;
    assert.equal(bench.server.connections, 0);
    await assert.rejects(bench.auth().ping({}), { code: "unavailable" });
  });

  it("closes what does not finish within its grace", async () => {
    const clock = new ManualClock();
    await using bench = await RpcBench.open({
      clock,
      auth: { ping: () => new Promise<never>(() => {}) },
    });
    const refused = assert.rejects(bench.auth().ping({}), { code: "unavailable" });
    await until("the call is there", () => bench.server.calls === 1);
    const down = bench.server.shutdown(5_000);
    await clock.advance(5_000);
    await down;
    await refused;
  });
});

describe("a call to a server that cannot be reached", () => {
  it("names the address, the reason and what to check when the port is closed", async () => {
    const bench = await RpcBench.open({});
    const client = bench.auth();
    const { port } = bench.listener;
    await bench.listener[Symbol.asyncDispose]();
    const message = `cannot reach 127.0.0.1:${port}: the connection was refused; check that the server runs and that the address and port are right`;
    await assert.rejects(client.ping({}), { code: "unavailable", message });
    await bench.server.shutdown(0);
  });

  const faults = [
    ["another authority", { ca: [new TestAuthority().ca] }, /not signed by an authority/],
    ["another name", { serverName: "other.test" }, /for another name/],
  ] as const;
  for (const [fault, tls, message] of faults) {
    it(`says so when its certificate is of ${fault}`, async () => {
      await using bench = await RpcBench.open({});
      await assert.rejects(bench.auth({ tls }).ping({}), { code: "unavailable", message });
    });
  }

  it("says so when the name does not exist", async () => {
    using channel = new RpcChannel({
      target: { host: "nowhere.invalid", port: 1 },
      clock: systemClock,
    });
    const message = /cannot reach nowhere\.invalid:1: the name could not be resolved/;
    await assert.rejects(channel.client(AuthService).ping({}), { code: "unavailable", message });
  });

  it("says so when something accepts and says nothing, and leaves nothing open", async () => {
    const clock = new ManualClock();
    await using peer = await SilentPeer.open();
    using channel = new RpcChannel({ target: peer.target, tls: { serverName: "x.test" }, clock });
    const refused = assert.rejects(channel.client(AuthService).ping({}), {
      code: "unavailable",
      message: /does not speak TLS and HTTP\/2; check the address and port/,
    });
    await until("the handshake has begun", () => peer.open === 1 && clock.pending === 2);
    await clock.advance(HANDSHAKE_MS);
    await refused;
    await until("the connection is gone", () => peer.open === 0);
  });

  it("gives up at its deadline when the handshake goes on, and closes what it opened", async () => {
    const clock = new ManualClock();
    await using peer = await SilentPeer.open();
    const tls = { serverName: "x.test" };
    using channel = new RpcChannel({ target: peer.target, tls, clock, defaultDeadlineMs: 5_000 });
    const auth = channel.client(AuthService);
    const join = channel.client(JoinService);
    const message = /no answer from 127.0.0.1:\d+ within 5 seconds/;
    const refused = [
      auth.ping({}),
      auth.watchLocks({}).next(),
      join.join().then((call) => call.receive()),
    ].map((call) => assert.rejects(call, { code: "timed_out", message }));
    await until("the deadlines are set", () => peer.open === 1 && clock.pending === 4);
    await clock.advance(5_000);
    await Promise.all(refused);
    await until("the connection is gone", () => peer.open === 0);
  });

  it("comes back by itself after the server was restarted", async () => {
    await using bench = await RpcBench.open({ auth: { ping: () => ({ clusterName: "back" }) } });
    const client = bench.auth();
    await client.ping({});
    await until("the connection was cut and made again", async () => {
      bench.listener.cut();
      return (await client.ping({}).catch(() => undefined))?.clusterName === "back";
    });
  });
});

/** Accepts connections, and says nothing on them. */
class SilentPeer implements AsyncDisposable {
  readonly #server: Server;
  open = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.open += 1;
      socket.resume().on("close", () => (this.open -= 1));
    });
  }

  static async open(): Promise<SilentPeer> {
    const peer = new SilentPeer();
    await new Promise<void>((resolve) => void peer.#server.listen(0, "127.0.0.1", resolve));
    return peer;
  }

  get target(): { host: string; port: number } {
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
