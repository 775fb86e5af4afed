import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  AckSchema,
  GivingUpSchema,
  InitSchema,
  NewKeySchema,
  SolutionSchema,
  type Init,
} from "@tenon/api/tenon/join/v1/join";
import {
  generateKeyPair,
  MemoryKeyStore,
  signJwsWith,
  spkiDer,
  sshPublicKeyLine,
} from "#base/crypto";
import { codeOf, messageOf } from "#base/kernel";
import type { Store } from "#base/storage";
import { JoinCluster, refusal } from "#testing/join";
import { Machine } from "#testing/join-machine";
import type { Ceremony } from "./ceremony.ts";
import { checkChallenge } from "./challenge.ts";
import { CEREMONY_MS, type JoinMessage } from "./protocol.ts";

const keys = new MemoryKeyStore();
const { keyId, publicKey } = await keys.create("ed25519");
const tls = generateKeyPair("ecdsa-p256");

function init(change: Partial<Init> = {}): JoinMessage {
  const line = sshPublicKeyLine(publicKey);
  const value = create(InitSchema, {
    attemptId: "00000000-0000-4000-8000-000000000001",
    token: "t",
    tlsPublicKey: spkiDer(tls.publicKey),
    sshPublicKey: line,
    role: "Bot",
    method: { case: "boundKeypair", value: { registrationSecret: "s3cret", publicKey: line } },
  });
  return { case: "init", value: Object.assign(value, change) };
}

const solution = (jws: string): JoinMessage => ({
  case: "solution",
  value: create(SolutionSchema, { jws }),
});
const ack = (): JoinMessage => ({ case: "ack", value: create(AckSchema) });
const newKey = (): JoinMessage => ({ case: "newKey", value: create(NewKeySchema) });
const givingUp = (): JoinMessage => ({
  case: "givingUp",
  value: create(GivingUpSchema, { reason: "enough" }),
});

async function solve(ceremony: Ceremony): Promise<JoinMessage> {
  const reply = await ceremony.receive(init());
  assert.ok(reply?.case === "challenge");
  return solution(await signJwsWith(keys, keyId, reply.value.document));
}

async function open(wrap?: (store: Store) => Store): Promise<JoinCluster> {
  const cluster = await JoinCluster.open(wrap);
  await cluster.addBoundToken("t");
  return cluster;
}

suite("a ceremony", () => {
  const wrong: readonly { name: string; before: string; message: () => JoinMessage }[] = [
    ...["solution", "new_key", "ack"].map((name, i) => ({
      name: `${name} first`,
      before: "init",
      message: [() => solution("x"), newKey, ack][i]!,
    })),
    { name: "init twice", before: "solution", message: init },
    { name: "ack in place of the solution", before: "solution", message: ack },
    { name: "a new key that nobody asked for", before: "solution", message: newKey },
    { name: "a solution after the result", before: "ack", message: () => solution("x") },
    { name: "init after the result", before: "ack", message: init },
    { name: "ack twice", before: "end", message: ack },
    { name: "giving up after the end", before: "end", message: givingUp },
  ];
  for (const { name, before, message } of wrong) {
    test(`refuses ${name}, and everything afterwards`, async () => {
      await using cluster = await open();
      const ceremony = cluster.begin();
      if (before !== "init") {
        const solved = await solve(ceremony);
        if (before !== "solution") await ceremony.receive(solved);
        if (before === "end") await ceremony.receive(ack());
      }
      assert.equal((await refusal(ceremony.receive(message()))).code, "bad_parameter");
      assert.equal((await refusal(ceremony.receive(init()))).code, "bad_parameter");
      assert.ok(ceremony.over);
    });
  }

  test("refuses a message that does not wait for its turn, and keeps what was committed", async () => {
    await using cluster = await open();
    const ceremony = cluster.begin();
    const solved = await solve(ceremony);
    const [first, second] = await Promise.allSettled([
      ceremony.receive(solved),
      ceremony.receive(solved),
    ]);
    assert.deepEqual(first, { status: "fulfilled", value: undefined });
    assert.equal(second.status === "rejected" && codeOf(second.reason), "bad_parameter");
    assert.equal((await cluster.bound("t")).recovery_count, 1);
  });

  test("refuses everything after its deadline, whatever the wall clock says", async () => {
    await using cluster = await open();
    const ceremony = cluster.begin();
    const solved = await solve(ceremony);
    cluster.clock.jump(-CEREMONY_MS * 100);
    await cluster.clock.advance(CEREMONY_MS);
    assert.equal((await refusal(ceremony.receive(solved))).code, "timed_out");
    assert.equal((await cluster.resources.require("token", "t")).status, undefined);
  });

  test("ends when the client gives up, without a trace in the store", async () => {
    await using cluster = await open();
    const ceremony = cluster.begin();
    await solve(ceremony);
    const position = await cluster.store.position();
    assert.equal(await ceremony.receive(givingUp()), undefined);
    assert.ok(ceremony.over);
    assert.equal(await cluster.store.position(), position);
  });

  test("ten thousand that are opened and abandoned leave nothing", async () => {
    await using cluster = await open();
    const position = await cluster.store.position();
    for (let i = 0; i < 10_000; i++) {
      const ceremony = cluster.begin();
      if (i % 20 === 0) await ceremony.receive(init());
      ceremony.close("the stream broke");
    }
    assert.equal(await cluster.store.position(), position);
  });

  test("a token edited between two steps is judged as it is at the end", async () => {
    await using cluster = await open();
    const ceremony = cluster.begin();
    const solved = await solve(ceremony);
    await cluster.remove("token", "t");
    await cluster.addBoundToken("t", { onboarding: { registration_secret: "another" } });
    assert.equal((await refusal(ceremony.receive(solved))).code, "access_denied");
  });

  test("a change during the decision restarts it, and too many end it as unavailable", async () => {
    for (const { conflicts, code } of [{ conflicts: 2 }, { conflicts: 3, code: "unavailable" }]) {
      let left = 0;
      let cluster: JoinCluster | undefined;
      const wrap = (store: Store): Store =>
        Object.assign(Object.create(store) as Store, {
          commit: async (writes: Parameters<Store["commit"]>[0]) => {
            if (
              left > 0 &&
              writes.some((write) => write.op === "update" && write.kind === "token")
            ) {
              left--;
              const item = (await store.get("token", "t"))!;
              await store.commit([{ op: "put", kind: "token", name: "t", value: item.value }]);
            }
            return await store.commit(writes);
          },
          get: store.get.bind(store),
          list: store.list.bind(store),
          count: store.count.bind(store),
          watch: store.watch.bind(store),
          position: store.position.bind(store),
          [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
        });
      cluster = await open(wrap);
      await using _closing = cluster;
      const machine = new Machine(cluster, { token: "t" });
      left = conflicts;
      const result = await machine.join().catch((error: unknown) => codeOf(error));
      assert.equal(typeof result === "string" ? result : undefined, code);
      machine.tamper = (message) => message;
      await machine.join();
      assert.equal((await cluster.bound("t")).recovery_count, 1);
    }
  });

  const malformed: readonly { name: string; change: Partial<Init>; message: RegExp }[] = [
    { name: "attempt_id", change: { attemptId: "1" }, message: /attempt_id must be/ },
    {
      name: "an attempt_id in capitals",
      change: { attemptId: "A".repeat(36) },
      message: /attempt_id/,
    },
    { name: "token", change: { token: "../t" }, message: /token must be/ },
    { name: "no token", change: { token: "" }, message: /token must be/ },
    { name: "role", change: { role: "King" }, message: /role "King" is unknown/ },
    {
      name: "an agent without a host id",
      change: { role: "App" },
      message: /host_id is required/,
    },
    {
      name: "TLS key",
      change: { tlsPublicKey: new Uint8Array(91) },
      message: /public key must be/,
    },
    { name: "SSH key", change: { sshPublicKey: "ssh-rsa AAAA" }, message: /SSH public key/ },
    { name: "long SSH key", change: { sshPublicKey: "a".repeat(2000) }, message: /longer than/ },
    {
      name: "method",
      change: { method: { case: undefined } },
      message: /no block of a join method/,
    },
  ];
  for (const { name, change, message } of malformed) {
    test(`refuses a malformed Init: ${name}`, async () => {
      await using cluster = await open();
      const error = await refusal(cluster.begin().receive(init(change)));
      assert.equal(error.code, "bad_parameter");
      assert.match(error.message, message);
    });
  }
});

suite("the client before it signs", () => {
  const good = { iss: "c", aud: "t", sub: "k", nbf: 1, iat: 1, exp: 61, nonce: "0".repeat(64) };
  const expected = { token: "t", keyId: "k" };
  const refused: readonly [string, string][] = [
    ["no JSON", "x"],
    ["another token", JSON.stringify({ ...good, aud: "other" })],
    ["another key", JSON.stringify({ ...good, sub: "other" })],
    ["a field more", JSON.stringify({ ...good, scope: "admin" })],
    ["a short nonce", JSON.stringify({ ...good, nonce: "00" })],
    ["a certificate request", JSON.stringify({ ...good, nonce: undefined, csr: "" })],
  ];
  test("takes a challenge for its token and key, whatever its clock says", () => {
    checkChallenge(JSON.stringify(good), expected);
  });
  for (const [name, document] of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(
        () => checkChallenge(document, expected),
        (error) => codeOf(error) === "bad_parameter" && messageOf(error).includes("not signed"),
      );
    });
  }
});
