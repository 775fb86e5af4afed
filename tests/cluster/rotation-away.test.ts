// Machines that were away while the authorities were rotated, and come back.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { MemoryKeyStore, type KeyStore } from "#base/crypto";
import { silentLogger, systemClock } from "#base/kernel";
import { caPins } from "#domain/authority";
import { JoinClient, MemoryJoinStorage, type JoinOutcome, type JoinStorage } from "#domain/join";
import { Resources, writeOf, type AuthorityType } from "#domain/resources";
import { Enrolment } from "#services/enrolment";
import { startCluster, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";

const host = { hostname: "test", os: "linux", architecture: "x64", version: "0" };

interface Machine {
  readonly storage: JoinStorage;
  readonly keys: KeyStore;
  readonly token: string;
  readonly secret: string;
}

describe("a machine that was away", () => {
  let directory: string;
  let cluster: TestCluster;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-away-"));
    cluster = await startCluster({ dataDir: join(directory, "data") });
    await create({ kind: "bot", version: "v1", metadata: { name: "robot" }, spec: {} });
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function create(document: object): Promise<string> {
    const { admin } = cluster;
    const made = await admin.resources.create({ documents: [{ json: JSON.stringify(document) }] });
    return made.documents[0]!.json;
  }

  /** One with a token of its own, which has never met the cluster. */
  async function newMachine(token = "robot"): Promise<Machine> {
    const json = await create({
      kind: "token",
      version: "v2",
      metadata: { name: token },
      spec: {
        roles: ["Bot"],
        bot_name: "robot",
        join_method: "bound_keypair",
        bound_keypair: { recovery: { limit: 10 } },
      },
    });
    const secret = /"registration_secret":"([^"]+)"/.exec(json)![1]!;
    return { storage: new MemoryJoinStorage(), keys: new MemoryKeyStore(), token, secret };
  }

  /** One start of the machine: it joins, and stops again. */
  async function comes(machine: Machine, pins: readonly string[]): Promise<JoinOutcome> {
    const { storage, keys, token, secret } = machine;
    const settings = {
      method: "bound_keypair",
      token,
      registrationSecret: secret,
      role: "Bot",
      host,
    } as const;
    const parts = { storage, keys, clock: systemClock, logger: silentLogger };
    const client = new JoinClient({ ...parts, settings });
    const { address } = cluster;
    const options = { address, caPins: pins, join: client, storage, clock: systemClock };
    using enrolment = await Enrolment.open(options);
    return await enrolment.join(AbortSignal.timeout(20_000));
  }

  const rotate = async (types: AuthorityType[], ...phases: string[]): Promise<void> => {
    for (const phase of phases)
      await cluster.admin.auth.rotateAuthority({ types, phase, manual: true });
  };
  const ALL = ["init", "update_clients", "update_servers", "standby"];

  /** As when the grace period has passed: what was kept for those who were away is gone. */
  async function graceEnds(): Promise<void> {
    const authority = await new Resources(cluster.store).require("cert_authority", "host");
    const status = { ...authority.status!, retired: [] };
    await cluster.store.commit([writeOf({ ...authority, status }, "update")]);
    await restart();
  }

  async function restart(dataDir = cluster.dataDir, between = async () => {}): Promise<void> {
    const { port } = cluster.address;
    await cluster[Symbol.asyncDispose]();
    await between();
    cluster = await startCluster({ dataDir, port });
  }

  test("a short time comes back by itself: old authorities vouch for the new ones", async () => {
    const machine = await newMachine();
    const old = cluster.trust;
    await comes(machine, cluster.caPins);
    await rotate(["host"], ...ALL);
    const { identity, refreshed } = await comes(machine, []);
    assert.equal(refreshed, true);
    assert.deepEqual(identity.trust, cluster.trust);
    assert.notDeepEqual(identity.trust, old);
    await graceEnds();
    await comes(machine, []);
  });

  test("a short time recovers where its own certificate is one of the past", async () => {
    const machine = await newMachine();
    await comes(machine, cluster.caPins);
    await rotate(["host", "user", "join"], ...ALL);
    await comes(machine, []);
    const { status } = await cluster.resources.require("token", "robot");
    assert.equal(status?.bound_keypair?.recovery_count, 2);
  });

  test("long is told what to do when it has no pin", async () => {
    const machine = await newMachine();
    await comes(machine, cluster.caPins);
    await rotate(["host"], ...ALL);
    await graceEnds();
    await assert.rejects(comes(machine, []), {
      code: "unavailable",
      message:
        /not certified by an authority that this machine knows, and it has no CA pin; .*rotated while this machine was away.*--ca-pin/,
    });
  });

  test("long is told so when it has only the old pin", async () => {
    const machine = await newMachine();
    const { caPins } = cluster;
    await comes(machine, caPins);
    await rotate(["host"], ...ALL);
    await graceEnds();
    await assert.rejects(comes(machine, caPins), {
      code: "access_denied",
      message: /not the one you pinned.*if the authority was rotated use the new pin/,
    });
  });

  test("long comes back by the new pin, and keeps what it is then told", async () => {
    const machine = await newMachine();
    const { caPins: old } = cluster;
    await comes(machine, old);
    await rotate(["host"], ...ALL);
    await graceEnds();
    const { refreshed } = await comes(machine, [...old, ...cluster.caPins]);
    assert.equal(refreshed, true);
    await comes(machine, []);
  });

  test("from the start joins with the old pin while the rotation lasts, and with the new one", async () => {
    const { caPins: old } = cluster;
    for (const phase of ALL.slice(0, 3)) {
      await rotate(["host"], phase);
      await until("both pins are shown", () => cluster.caPins.length === 2);
      await comes(await newMachine(`old-${phase}`), old);
    }
    const fresh = cluster.caPins.filter((pin) => !old.includes(pin));
    await comes(await newMachine("new"), fresh);
    await rotate(["host"], "standby");
    await comes(await newMachine("newest"), fresh);
    await assert.rejects(comes(await newMachine("late"), old), { code: "access_denied" });
  });

  test("does not believe a pin whose authority the cluster has left, though the pin is configured", async () => {
    const { caPins: old } = cluster;
    const stolen = join(directory, "stolen");
    const machine = await newMachine();
    await comes(machine, old);
    const { dataDir } = cluster;
    const filter = (path: string): boolean => !path.endsWith(".sock");
    await restart(dataDir, async () => await cp(dataDir, stolen, { recursive: true, filter }));
    await rotate(["host"], ...ALL);
    const { identity } = await comes(machine, old);
    assert.deepEqual(caPins(identity.trust), cluster.caPins);
    // Whoever has the old authority's key answers in the cluster's place.
    await restart(stolen);
    assert.deepEqual(cluster.caPins, old);
    await assert.rejects(comes(machine, old), {
      code: "unavailable",
      message: /CA pin sha256:[0-9a-f]{64} is of an authority that the cluster has left/,
    });
  });
});
