// Rotations of the authorities while everything runs: nothing that should work is refused.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { until } from "#testing/wait";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { codeOf, systemClock } from "#base/kernel";
import { RpcChannel } from "#base/rpc";
import { authorityTypes, type AuthorityType, type RotationPhase } from "#domain/resources";
import { dialDirect } from "#testing/applications";
import type { TestIdentity } from "#testing/identities";
import { RotationScene } from "#testing/rotation-scene";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";

const FORWARD = ["init", "update_clients", "update_servers", "standby"] as const;

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tenon-rotation-"));
});
after(async () => await rm(directory, { recursive: true, force: true }));

/** What a certificate opens now: a call, and a connection to an application. */
async function opens(
  scene: RotationScene,
  identity: TestIdentity,
  ca: string[],
): Promise<string[]> {
  const { address, identities } = scene.cluster;
  using channel = new RpcChannel({
    target: address,
    tls: { ca, serverName: identities.serverName, cert: identity.cert, key: identity.key },
    clock: systemClock,
  });
  const called = await channel
    .client(AuthService)
    .getStatus({})
    .catch((error: unknown) => codeOf(error));
  const socket = dialDirect(scene.cluster, "echo", identity);
  socket.end("hello");
  const said = await text(socket).catch(() => "cut");
  return [typeof called === "string" ? called : "called", said];
}

describe("a rotation", () => {
  let scene: RotationScene;
  beforeEach(async () => {
    scene = await RotationScene.open(await mkdtemp(join(directory, "cluster-")));
  });
  afterEach(async () => await scene[Symbol.asyncDispose]());

  const walk = async (
    way: readonly RotationPhase[],
    types: readonly AuthorityType[],
  ): Promise<void> => {
    for (const phase of way) {
      await scene.to(phase, types);
      await scene.carries();
      await scene.followed();
      await scene.carries();
    }
  };

  const cases: Readonly<Record<string, readonly AuthorityType[]>> = {
    "the host authority": ["host"],
    "the user authority": ["user"],
    "the join authority": ["join"],
    "all authorities": authorityTypes,
  };
  for (const [what, types] of Object.entries(cases)) {
    test(`of ${what} goes through all phases, and leaves only new keys`, async () => {
      const { identities, trust } = scene.cluster;
      const [before, ca] = [scene.newIdentity(), identities.hostCa];
      await walk(FORWARD.slice(0, 3), types);
      assert.deepEqual(await opens(scene, before, ca), ["access_denied", "hello"]);
      await walk(["standby"], types);
      const now = scene.cluster.trust;
      assert.equal(now.hostX509[0]!.equals(trust.hostX509[0]!), !types.includes("host"));
      assert.equal(now.userX509[0]!.equals(trust.userX509[0]!), !types.includes("user"));
      const refused = types.includes("user");
      const [called, said] = await opens(scene, before, identities.hostCa);
      assert.equal(called, refused ? "unauthenticated" : "access_denied");
      assert.equal(said === "hello", !refused);
      await until("more connections were made", () => scene.made > 10);
      await scene.restart();
    });
  }

  const ways: readonly (readonly RotationPhase[])[] = [
    ["init", "rollback", "standby"],
    ["init", "update_clients", "rollback", "standby"],
    ["init", "update_clients", "update_servers", "rollback", "standby"],
  ];
  for (const way of ways)
    test(`of all authorities goes ${way.join(" → ")}, and leaves only the old keys`, async () => {
      const { identities, trust } = scene.cluster;
      const before = scene.newIdentity();
      await walk(way.slice(0, -2), authorityTypes);
      const between = scene.newIdentity();
      await walk(way.slice(-2), authorityTypes);
      assert.deepEqual(scene.cluster.trust, trust);
      assert.deepEqual(await opens(scene, before, identities.hostCa), ["access_denied", "hello"]);
      const signedByNew = way.length > 3;
      const [called] = await opens(scene, between, identities.hostCa);
      assert.equal(called, signedByNew ? "unauthenticated" : "access_denied");
      await scene.restart();
    });
});
