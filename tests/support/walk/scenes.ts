// Where walks begin: what needs several events in order would come up too seldom by chance.
import { openResync } from "#domain/join";
import { joins } from "./checks.ts";
import type { World } from "./world.ts";

const steps = {
  "the machine joins": async (world: World) => {
    await joins(world, world.machines[0]!);
  },
  "the machine recovers": (world: World) => recovers(world, 0),
  "its copy recovers": (world: World) => recovers(world, 1),
  "it is copied": async (world: World) => {
    world.machines.push(await world.copy(world.machines[0]!));
    world.honest = false;
  },
  "its reply is lost": async (world: World) => {
    world.machines[0]!.lose = "result";
    await joins(world, world.machines[0]!);
  },
  "it takes another key": async (world: World) => {
    world.machines[0]!.wished = true;
    await joins(world, world.machines[0]!);
  },
  "the token is made anew": async (world: World) => {
    await world.cluster.remove("token", "t");
    await world.makeToken("key");
  },
  "the store is backed up": (world: World) => world.backUp(),
  "the store is restored": async (world: World) => {
    await world.restore();
    await openResync(world.cluster);
  },
} as const satisfies Readonly<Record<string, (world: World) => Promise<void>>>;

async function recovers(world: World, index: number): Promise<void> {
  const machine = world.machines[index]!;
  machine.anonymous = true;
  await joins(world, machine);
  machine.anonymous = false;
}

export type Scene = readonly (keyof typeof steps)[];

const joined: Scene = ["the machine joins"];
const backedUp: Scene = [...joined, "the store is backed up"];

/** The first ones are where a failing walk is tried first when it is made shorter. */
export const scenes: readonly Scene[] = [
  [],
  joined,
  [...joined, "the machine joins", "the machine joins"],
  [...joined, "the machine recovers", "the machine recovers"],
  [...joined, "it is copied"],
  [...joined, "the machine joins", "it is copied", "the machine recovers"],
  [...joined, "its reply is lost"],
  [...joined, "it takes another key", "it is copied", "it takes another key"],
  [...joined, "the token is made anew"],
  [...backedUp, "the machine joins", "the store is restored"],
  [...backedUp, "the machine recovers", "the store is restored"],
  [...backedUp, "it takes another key", "the store is restored"],
  [...backedUp, "it is copied", "its copy recovers", "the store is restored"],
  [...backedUp, "the token is made anew", "the machine joins", "the store is restored"],
  ["the store is backed up", ...joined, "the store is restored"],
];

export async function arrange(world: World, scene: Scene): Promise<void> {
  for (const step of scene) await steps[step](world);
}
