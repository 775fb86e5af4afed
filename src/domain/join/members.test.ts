import { suite, test } from "node:test";
import { sshFingerprint } from "#base/crypto";
import type { Machine } from "#testing/join-machine";
import { checkRefusal, openWorld, type Row, type World } from "#testing/join-refusals";

const MINUTE = 60_000;

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
      await using foreign = await openWorld();
      const { joined: theirs } = (await foreign.joined.storage.load())!;
      return await withJoinState(joined, () => theirs!.join_state);
    },
    told: /not the current one/,
    reason: /no trusted key signed it/,
    locks: ["join-state-t-"],
  },
  {
    name: "a join state of the bound instance, of another sequence",
    arrange: async ({ cluster, joined }) => {
      await cluster.editToken("t", (t) => ({
        ...t,
        status: { bound_keypair: { ...t.status!.bound_keypair!, recovery_sequence: 2 } },
      }));
      return joined;
    },
    told: /sequence 1 of instance .* but 2 of instance .* is current/,
    reason: /sequence 1 of instance/,
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

suite("bound_keypair refuses members, and tells them why", () => {
  for (const row of members) test(row.name, () => checkRefusal(row));
});
