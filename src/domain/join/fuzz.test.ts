// Everything that a stranger can send, at random and nearly right: the answer is a code, never a
// crash, and nothing but the audit log changes.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { InitSchema, JoinRequestSchema, SolutionSchema } from "@tenon/api/tenon/join/v1/join";
import * as fc from "fast-check";
import { generateKeyPair, signJws, spkiDer, sshPublicKeyLine } from "#base/crypto";
import { CodedError, codeOf } from "#base/kernel";
import { JoinCluster } from "#testing/join";
import { Challenge, readOfferedKey } from "./challenge.ts";
import type { Ceremony } from "./ceremony.ts";
import type { JoinMessage, JoinReply } from "./protocol.ts";

const tls = generateKeyPair("ecdsa-p256");
const bound = generateKeyPair("ed25519");
const line = sshPublicKeyLine(bound.publicKey);
const der = spkiDer(tls.publicKey);

/** Mostly the right value, else something near it, else anything. */
const nearly = (right: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(right) },
    { weight: 2, arbitrary: fc.nat(right.length).map((at) => right.slice(0, at)) },
    { weight: 1, arbitrary: fc.constantFrom("", `${right} `, right.toUpperCase(), `${right}\0`) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 300 }) },
  );
const nearlyBytes = (right: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(right) },
    { weight: 2, arbitrary: fc.nat(right.length).map((at) => right.slice(0, at)) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.nat(right.length - 1), fc.nat(255))
        .map(([at, byte]) => right.with(at, byte)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );

const boundBlock = fc.record({
  registrationSecret: nearly("s3cret"),
  publicKey: nearly(line),
  previousJoinState: nearly("a.b.c"),
});

const inits = fc.record({
  attemptId: nearly("00000000-0000-4000-8000-000000000001"),
  token: nearly("t"),
  tlsPublicKey: nearlyBytes(der),
  sshPublicKey: nearly(line),
  role: nearly("Bot"),
  ttlSeconds: fc.nat(),
  host: fc.record({
    hostname: nearly("host"),
    hostId: nearly("00000000-0000-4000-8000-000000000002"),
  }),
  method: fc.oneof(
    { weight: 5, arbitrary: boundBlock.map((value) => ({ case: "boundKeypair" as const, value })) },
    { weight: 1, arbitrary: fc.constant({ case: "tokenMethod" as const, value: {} }) },
    { weight: 1, arbitrary: fc.constant({ case: undefined }) },
  ),
});

/** What `send` leads to: a reply, or a code that a stranger may see. */
async function answer(ceremony: Ceremony, message: JoinMessage): Promise<JoinReply | undefined> {
  try {
    return await ceremony.receive(message);
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    assert.ok(["bad_parameter", "access_denied"].includes(codeOf(error)), String(error));
    return undefined;
  }
}

suite("fuzzing", () => {
  test("Init and Solution", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addBoundToken("t");
    const kinds = async (): Promise<number[]> =>
      await Promise.all(
        ["token", "bot_instance", "lock", "join_attempt", "agent_host"].map((kind) =>
          cluster.store.count({ kind }),
        ),
      );
    const before = await kinds();
    const solutions = nearly("x.y.z");
    await fc.assert(
      fc.asyncProperty(inits, solutions, async (init, jws) => {
        const ceremony = cluster.begin();
        const reply = await answer(ceremony, { case: "init", value: create(InitSchema, init) });
        if (reply?.case !== "challenge") return assert.equal(reply, undefined);
        const value = create(SolutionSchema, { jws });
        assert.equal(await answer(ceremony, { case: "solution", value }), undefined);
      }),
      { numRuns: 400 },
    );
    assert.deepEqual(await kinds(), before);
    assert.equal((await cluster.resources.require("token", "t")).status, undefined);
  });

  test("the bytes of requests", async () => {
    await using cluster = await JoinCluster.open();
    const good = toBinary(
      JoinRequestSchema,
      create(JoinRequestSchema, {
        message: { case: "init", value: create(InitSchema, { token: "t", role: "Bot" }) },
      }),
    );
    await fc.assert(
      fc.asyncProperty(nearlyBytes(good), async (bytes) => {
        const message = decode(bytes);
        if (message) assert.equal(await answer(cluster.begin(), message), undefined);
      }),
      { numRuns: 400 },
    );
  });

  test("solutions to a challenge: only the right one passes, and only once", async () => {
    await using cluster = await JoinCluster.open();
    const { clock } = cluster;
    const key = readOfferedKey(line);
    const open = (): Challenge => new Challenge({ clusterName: "c", token: "t", key, clock });
    const right = open();
    const jws = signJws(right.document, bound.privateKey);
    assert.equal(right.solve(jws)?.key, key);
    assert.equal(right.solve(jws), undefined);
    fc.assert(
      fc.property(
        fc.nat(jws.length - 1),
        fc.constantFrom("A", "z", "0", "9", "-", "_", ".", "=", "\0"),
        (at, letter) => {
          const challenge = open();
          const good = signJws(challenge.document, bound.privateKey);
          const changed = good.slice(0, at) + letter + good.slice(at + 1);
          assert.equal(challenge.solve(changed) !== undefined, changed === good);
        },
      ),
      { numRuns: 500 },
    );
  });
});

function decode(bytes: Uint8Array): JoinMessage | undefined {
  try {
    const { message } = fromBinary(JoinRequestSchema, bytes);
    return message.case === undefined ? undefined : message;
  } catch {
    return undefined;
  }
}
