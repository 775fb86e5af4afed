import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SolutionSchema } from "@tenon/api/tenon/join/v1/join";
import {
  generateKeyPair,
  signJws,
  signJwsWith,
  sshFingerprint,
  sshPublicKeyLine,
} from "#base/crypto";
import { JoinCluster, Machine, refusal } from "#testing/join";

/** What someone who has proven nothing hears, whatever was wrong. */
const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;
const MINUTE = 60_000;

/** Two machines of the token `t` with three recoveries: one has joined, the other is new. */
interface World {
  readonly cluster: JoinCluster;
  readonly joined: Machine;
  readonly newcomer: Machine;
  /** A certificate, a join state and a generation that were current once. */
  readonly stale: Machine;
}

async function open(): Promise<World & AsyncDisposable> {
  const cluster = await JoinCluster.open();
  const onboarding = { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 3 } });
  await cluster.addBoundToken("fresh", { onboarding });
  const joined = new Machine(cluster, { token: "t" });
  await joined.join();
  const stale = await joined.copy();
  const newcomer = new Machine(cluster, { token: "fresh" });
  const dispose = (): Promise<void> => cluster[Symbol.asyncDispose]();
  return { cluster, joined, newcomer, stale, [Symbol.asyncDispose]: dispose };
}

interface Row {
  readonly name: string;
  /** Arranges everything, and gives the machine whose next ceremony is refused. */
  readonly arrange: (world: World) => Promise<Machine> | Machine;
  readonly told: RegExp;
  readonly reason: RegExp;
  /** Locks that the refusal makes, by the beginning of their names. */
  readonly locks?: readonly string[];
}

const solvedBy = (sign: (document: string) => string | Promise<string>) => (machine: Machine) => {
  let document = "";
  const original = machine.connect;
  const connect: typeof original = async (options) => {
    const line = await original(options);
    return {
      send: async (request) => {
        if (request.message.case !== "solution") return await line.send(request);
        const value = create(SolutionSchema, { jws: await sign(document) });
        await line.send({ ...request, message: { case: "solution", value } });
      },
      receive: async () => {
        const response = await line.receive();
        if (response?.message.case === "challenge") ({ document } = response.message.value);
        return response;
      },
      [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
    };
  };
  return Object.assign(machine, { connect });
};

const other = generateKeyPair("ed25519");
const withJoinState = async (
  machine: Machine,
  change: (jwt: string) => string,
): Promise<Machine> => {
  await machine.edit((state) => ({
    ...state,
    joined: { ...state.joined!, join_state: change(state.joined!.join_state) },
  }));
  return machine;
};

const strangers: readonly Row[] = [
  {
    name: "an unknown token",
    arrange: ({ cluster }) => new Machine(cluster, { token: "nobody" }),
    told: STRANGER,
    reason: /no such token/,
  },
  {
    name: "a token of another method",
    arrange: async ({ cluster }) => {
      await cluster.addToken("single-use-secret-0001");
      return new Machine(cluster, { token: "single-use-secret-0001" });
    },
    told: STRANGER,
    reason: /for join method "token"/,
  },
  {
    name: "a token that has expired",
    arrange: async ({ cluster, newcomer }) => {
      const expires = new Date(cluster.clock.now() + MINUTE).toISOString();
      await cluster.editToken("fresh", (t) => ({ ...t, metadata: { ...t.metadata, expires } }));
      cluster.clock.jump(MINUTE);
      return newcomer;
    },
    told: STRANGER,
    reason: /no such token|the token expired/,
  },
  {
    name: "a token whose bot is gone",
    arrange: async ({ cluster, newcomer }) => {
      await cluster.remove("bot", "robo");
      return newcomer;
    },
    told: STRANGER,
    reason: /bot "robo" does not exist/,
  },
  {
    name: "a wrong registration secret",
    arrange: ({ cluster }) => new Machine(cluster, { token: "fresh", registrationSecret: "guess" }),
    told: STRANGER,
    reason: /secret is missing, wrong or used up/,
  },
  {
    name: "no registration secret",
    arrange: ({ cluster }) => new Machine(cluster, { token: "fresh", registrationSecret: "" }),
    told: STRANGER,
    reason: /secret is missing/,
  },
  {
    name: "no secret for a token that has none either",
    arrange: async ({ cluster }) => {
      await cluster.addBoundToken("bare", { onboarding: {} });
      return new Machine(cluster, { token: "bare", registrationSecret: "" });
    },
    told: STRANGER,
    reason: /secret is missing/,
  },
  {
    name: "the secret of a token that is already bound",
    arrange: ({ cluster }) => new Machine(cluster, { token: "t" }),
    told: STRANGER,
    reason: /is not the bound one/,
  },
  {
    name: "a registration that comes too late",
    arrange: async ({ cluster, newcomer }) => {
      const must_register_before = new Date(cluster.clock.now()).toISOString();
      await cluster.editBound("fresh", (bound) => ({
        ...bound,
        onboarding: { ...bound.onboarding, must_register_before },
      }));
      return newcomer;
    },
    told: STRANGER,
    reason: /registration ended at/,
  },
  {
    name: "a key other than the initial one, secret or not",
    arrange: async ({ cluster }) => {
      const initial_public_key = sshPublicKeyLine(other.publicKey, "someone@somewhere");
      const onboarding = { initial_public_key, registration_secret: "s3cret" };
      await cluster.addBoundToken("keyed", { onboarding });
      return new Machine(cluster, { token: "keyed" });
    },
    told: STRANGER,
    reason: /is not the token's initial_public_key/,
  },
  {
    name: "an initial key that is none",
    arrange: async ({ cluster }) => {
      await cluster.addBoundToken("keyed", { onboarding: { initial_public_key: "ssh-rsa !" } });
      return new Machine(cluster, { token: "keyed" });
    },
    told: STRANGER,
    reason: /is not the token's initial_public_key/,
  },
  {
    name: "a solution made with another key",
    arrange: ({ newcomer }) =>
      solvedBy((document) => signJws(document, other.privateKey))(newcomer),
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a solution that is no JWS",
    arrange: ({ newcomer }) => solvedBy(() => "a.b.c")(newcomer),
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a signature over another document",
    arrange: ({ newcomer }) => {
      const { keys } = newcomer;
      const sign = async (document: string): Promise<string> =>
        signJwsWith(
          keys,
          (await keys.list())[0]!.keyId,
          document.replace('"nonce":"', '"nonce":"0'),
        );
      return solvedBy(sign)(newcomer);
    },
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a solution replayed from another ceremony",
    arrange: async ({ newcomer }) => {
      let first = "";
      const { keys } = newcomer;
      const sign = async (document: string): Promise<string> => {
        first ||= await signJwsWith(keys, (await keys.list())[0]!.keyId, document);
        return first;
      };
      solvedBy(sign)(newcomer);
      newcomer.lose = "solution";
      await refusal(newcomer.join());
      assert.notEqual(first, "");
      return newcomer;
    },
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a solution that comes a minute after its challenge, by the cluster's clock",
    arrange: ({ cluster, newcomer }) => {
      newcomer.tamper = (message) => {
        if (message.case === "solution") cluster.clock.jump(MINUTE);
        return message;
      };
      return newcomer;
    },
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
];

const lockedBy = (name: string, target: (world: World) => Promise<object> | object): Row => ({
  name: `a lock on the ${name}`,
  arrange: async (world) => {
    await world.cluster.lock({ ...(await target(world)) });
    return world.joined;
  },
  told: /is locked: stolen$/,
  reason: /is locked: stolen \(lock "by-admin"\)/,
  locks: ["by-admin"],
});

const members: readonly Row[] = [
  lockedBy("user", () => ({ user: "bot-robo" })),
  lockedBy("role", () => ({ role: "bot-robo" })),
  lockedBy("join token", () => ({ join_token: "t" })),
  lockedBy("bot instance", async ({ joined }) => ({ bot_instance_id: await joined.instanceId() })),
  lockedBy("public key", async ({ joined }) => ({
    public_key: sshFingerprint((await joined.keys.list())[0]!.publicKey),
  })),
  {
    name: "a lock on the bound instance of a machine that recovers",
    arrange: async ({ cluster, joined }) => {
      await cluster.lock({ bot_instance_id: await joined.instanceId() });
      await joined.loseCertificate();
      return joined;
    },
    told: /is locked: stolen$/,
    reason: /is locked: stolen/,
    locks: ["by-admin"],
  },
  {
    name: "a missing join state",
    arrange: ({ joined }) => withJoinState(joined, () => ""),
    told: /presents no join state/,
    reason: /presents no join state/,
  },
  {
    name: "a join state with another signature",
    arrange: ({ joined }) => withJoinState(joined, (jwt) => `${jwt.slice(0, -8)}AAAAAAAA`),
    told: /not the current one of token "t"/,
    reason: /no trusted key signed it|not valid/,
    locks: ["join-state-t-"],
  },
  {
    name: "a join state that is no JWT",
    arrange: ({ joined }) => withJoinState(joined, () => "none"),
    told: /not the current one/,
    reason: /it is not valid/,
    locks: ["join-state-t-"],
  },
  {
    name: "the join state of another token",
    arrange: async ({ newcomer, joined }) => {
      await newcomer.join();
      const { joined: theirs } = (await newcomer.storage.load())!;
      return await withJoinState(joined, () => theirs!.join_state);
    },
    told: /not the current one/,
    reason: /it is of another token/,
    locks: ["join-state-t-"],
  },
  {
    name: "the join state of another bot",
    arrange: async ({ cluster, joined }) => {
      const metadata = { name: "other" };
      await cluster.put({ kind: "bot", version: "v1", metadata, spec: {} });
      await cluster.editToken("t", (t) => ({ ...t, spec: { ...t.spec, bot_name: "other" } }));
      return joined;
    },
    told: /not the current one/,
    reason: /it is of another bot/,
    locks: ["join-state-t-"],
  },
  {
    name: "the join state of another cluster",
    arrange: async ({ joined }) => {
      await using foreign = await open();
      const { joined: theirs } = (await foreign.joined.storage.load())!;
      return await withJoinState(joined, () => theirs!.join_state);
    },
    told: /not the current one/,
    reason: /no trusted key signed it/,
    locks: ["join-state-t-"],
  },
  {
    name: "a join state from before a recovery",
    arrange: async ({ joined, stale }) => {
      await joined.loseCertificate();
      await joined.join();
      return stale;
    },
    told: /sequence 1 of instance .* but 2 of instance .* is current/,
    reason: /sequence 1 .*; if this machine was restored/,
    locks: ["join-state-t-", "superseded-"],
  },
  {
    name: "a join state of the right sequence and another instance",
    arrange: async ({ cluster, joined }) => {
      await cluster.editToken("t", (t) => ({
        ...t,
        status: {
          bound_keypair: {
            ...t.status!.bound_keypair!,
            bound_bot_instance_id: "00000000-0000-4000-8000-000000000000",
          },
        },
      }));
      return joined;
    },
    told: /of instance "00000000-0000-4000-8000-000000000000" is current/,
    reason: /is current/,
    locks: ["join-state-t-"],
  },
  {
    name: "a join state from the future, because the cluster's clock was set back",
    arrange: ({ cluster, joined }) => {
      cluster.clock.jump(-24 * 60 * MINUTE);
      return joined;
    },
    told: /is dated 2026-01-01T.* correct the clock/,
    reason: /after the cluster's clock/,
  },
  {
    name: "a certificate of a generation that was refreshed by someone else",
    arrange: async ({ joined, stale }) => {
      await joined.join();
      return stale;
    },
    told: /seems to be copied: generation 1 was presented, but 2 is current since 2026.*192\.0\.2\.1/,
    reason: /generation 1 was presented/,
    locks: ["generation-"],
  },
  {
    name: "a certificate of an instance that is no longer the bound one, with a current join state",
    arrange: async ({ joined, stale }) => {
      stale.anonymous = true;
      await stale.join();
      const { joined: theirs } = (await stale.storage.load())!;
      return await withJoinState(joined, () => theirs!.join_state);
    },
    told: /seems to be copied: its token is bound to instance/,
    reason: /seems to be copied/,
    // The client then recovers, as the state allows, and supersedes the other.
    locks: ["generation-", "superseded-", "superseded-"],
  },
  {
    name: "an instance that an administrator removed",
    arrange: async ({ cluster, joined }) => {
      await cluster.remove("bot_instance", `robo:${await joined.instanceId()}`);
      await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, limit: 1 } }));
      return joined;
    },
    told: /was removed by an administrator/,
    reason: /was removed by an administrator/,
  },
  {
    name: "a recovery over the limit",
    arrange: async ({ cluster, joined }) => {
      await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, limit: 1 } }));
      await joined.loseCertificate();
      return joined;
    },
    told: /used 1 of 1 recoveries; raise spec\.bound_keypair\.recovery\.limit/,
    reason: /used 1 of 1/,
  },
  {
    name: "the same key again in a rotation",
    arrange: async ({ cluster, joined }) => {
      const rotate_after = new Date(cluster.clock.now()).toISOString();
      await cluster.editBound("t", (b) => ({ ...b, rotate_after }));
      const [old] = await joined.keys.list();
      joined.keys.create = async () => old!;
      return joined;
    },
    told: /the same key again/,
    reason: /the same key again/,
  },
];

suite("bound_keypair refuses strangers", () => {
  for (const row of strangers) test(row.name, () => check(row));
});

suite("bound_keypair refuses members", () => {
  for (const row of members) test(row.name, () => check(row));
});

async function check(row: Row): Promise<void> {
  await using world = await open();
  const machine = await row.arrange(world);
  const before = (await world.cluster.reasons()).length;
  machine.refused.length = 0;
  await machine.join().catch(() => {});
  const [refused] = machine.refused;
  assert.equal(refused?.code, "access_denied");
  assert.match(refused.message, row.told);
  assert.match((await world.cluster.reasons())[before] ?? "", row.reason);
  const locks = await world.cluster.lockNames();
  const expected = row.locks ?? [];
  assert.equal(locks.length, expected.length, `locks ${locks.join(", ")}`);
  for (const [i, name] of locks.entries()) assert.ok(name.startsWith(expected[i]!), name);
}
