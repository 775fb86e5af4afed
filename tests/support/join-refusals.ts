// Tables of refusals: each row arranges a machine whose next join is refused, and says how.
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { SolutionSchema } from "@tenon/api/tenon/join/v1/join";
import { JoinCluster } from "./join.ts";
import { Machine } from "./join-machine.ts";

/** What someone who has proven nothing hears, whatever was wrong. */
export const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

/** Two machines of the token `t` with three recoveries: one has joined, the other is new. */
export interface World {
  readonly cluster: JoinCluster;
  readonly joined: Machine;
  readonly newcomer: Machine;
  /** A certificate, a join state and a generation that were current once. */
  readonly stale: Machine;
}

export async function openWorld(): Promise<World & AsyncDisposable> {
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

export interface Row {
  readonly name: string;
  /** Arranges everything, and gives the machine whose next ceremony is refused. */
  readonly arrange: (world: World) => Promise<Machine> | Machine;
  readonly told: RegExp;
  readonly reason: RegExp;
  /** Locks that the refusal makes, by the beginning of their names. */
  readonly locks?: readonly string[];
}

/** Answers challenges with what `sign` makes of them. */
export const solvedBy =
  (sign: (document: string) => string | Promise<string>) => (machine: Machine) => {
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

export async function checkRefusal(row: Row): Promise<void> {
  await using world = await openWorld();
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
