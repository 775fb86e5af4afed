// Each step against the ones before and after it: where two would refuse, the earlier one answers,
// and the later one leaves no trace.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { JoinCluster } from "#testing/join";
import { Machine } from "#testing/join-machine";

interface World {
  readonly cluster: JoinCluster;
  /** Has joined token `t`. */
  readonly joined: Machine;
  /** Its disk as it was before it refreshed. */
  readonly stale: Machine;
}

/** Arranges that a step will refuse `machine`'s next ceremony. */
type Fault = (world: World, machine: Machine) => Promise<void> | void;

const noToken: Fault = ({ cluster }) => cluster.remove("token", "t");
const wrongKey: Fault = ({ cluster }) =>
  cluster.editToken("t", (t) => ({
    ...t,
    status: {
      bound_keypair: {
        ...t.status!.bound_keypair!,
        bound_public_key:
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzpvHZQ0k3mfXKqNlKd+YKZKXcXq7tmKTXk6m3ee2Qx",
      },
    },
  }));
const wrongSolution: Fault = (_world, machine) => {
  const { tamper } = machine;
  machine.tamper = (message) => {
    if (message.case !== "solution") return tamper(message);
    const jws = `${message.value.jws.slice(0, -4)}AAAA`;
    return { case: "solution", value: { ...message.value, jws } };
  };
};
const locked: Fault = ({ cluster }) => cluster.lock({ user: "bot-robo" });
const noState: Fault = (_world, machine) =>
  machine.edit((state) => ({ ...state, joined: { ...state.joined!, join_state: "" } }));
const brokenState: Fault = (_world, machine) =>
  machine.edit((state) => ({ ...state, joined: { ...state.joined!, join_state: "broken" } }));
const staleGeneration: Fault = async ({ joined }) => void (await joined.join());
const overLimit: Fault = async ({ cluster, stale }) => {
  await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, limit: 1 } }));
  stale.anonymous = true;
};
const rotationDue: Fault = ({ cluster }) =>
  cluster.editBound("t", (b) => ({ ...b, rotate_after: "2025-01-01T00:00:00Z" }));

const steps: readonly { step: string; fault: Fault; reason: RegExp; locks: readonly RegExp[] }[] = [
  { step: "1 token", fault: noToken, reason: /no such token/, locks: [] },
  { step: "2 key", fault: wrongKey, reason: /is not the bound one/, locks: [] },
  { step: "3 solution", fault: wrongSolution, reason: /did not solve/, locks: [] },
  { step: "4 locks", fault: locked, reason: /is locked: stolen/, locks: [] },
  { step: "5 no join state", fault: noState, reason: /presents no join state/, locks: [] },
  {
    step: "5 join state",
    fault: brokenState,
    reason: /not the current one/,
    locks: [/^join-state-/],
  },
  {
    step: "6 generation",
    fault: staleGeneration,
    reason: /generation 1 was/,
    locks: [/^generation-/],
  },
  { step: "6 limit", fault: overLimit, reason: /used 1 of 1/, locks: [] },
];

/** Two ways to fail one step exclude each other. */
const numberOf = (step: string): string => step.slice(0, 1);

suite("the order of the steps", () => {
  for (const [i, earlier] of steps.entries()) {
    for (const later of steps.slice(i + 1)) {
      if (numberOf(earlier.step) === numberOf(later.step)) continue;
      test(`${earlier.step} before ${later.step}`, async () => {
        await using world = await open();
        await later.fault(world, world.stale);
        await earlier.fault(world, world.stale);
        await firstRefusal(world, earlier);
      });
    }
    test(`${earlier.step} before 7 rotation`, async () => {
      await using world = await open();
      // The refresh that makes the other's generation stale must not be asked to rotate.
      await earlier.fault(world, world.stale);
      if (numberOf(earlier.step) !== "1") await rotationDue(world, world.stale);
      await firstRefusal(world, earlier);
      assert.ok(!world.stale.log.includes("rotationRequest"));
    });
  }
});

async function open(): Promise<World & AsyncDisposable> {
  const cluster = await JoinCluster.open();
  const onboarding = { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 5 } });
  const joined = new Machine(cluster, { token: "t" });
  await joined.join();
  const stale = await joined.copy();
  return { cluster, joined, stale, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function firstRefusal(
  { cluster, stale }: World,
  expected: { reason: RegExp; locks: readonly RegExp[] },
): Promise<void> {
  const before = (await cluster.lockNames()).length;
  await assert.rejects(stale.client.join(onlyOnce(stale), new AbortController().signal));
  assert.match((await cluster.reasons())[0] ?? "", expected.reason);
  const locks = (await cluster.lockNames()).filter((name) => !name.startsWith("superseded-"));
  const made = locks.filter((name) => name !== "by-admin");
  assert.equal(made.length, expected.locks.length, `${before} locks before, now ${locks.join()}`);
  for (const [i, pattern] of expected.locks.entries()) assert.match(made[i]!, pattern);
}

/** The client would try to recover next; that is another ceremony. */
function onlyOnce(machine: Machine): Machine["connect"] {
  let used = false;
  return async (options) => {
    if (used) throw new Error("one ceremony only");
    used = true;
    return await machine.connect(options);
  };
}
