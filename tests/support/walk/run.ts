// Walks at random, against the model, on one cluster.
import * as fc from "fast-check";
import { checkEnd } from "./checks.ts";
import { events, type Event } from "./events.ts";
import { arrange, scenes } from "./scenes.ts";
import type { Kind, WalkCluster, World } from "./world.ts";

export interface Walked {
  walks: number;
  events: number;
  /** Those that the cluster counted. */
  joins: number;
}

export interface WalkOptions {
  readonly walks: number;
  readonly seed: number;
  /** The longest walk; their mean is half of it. */
  readonly events: number;
  /** Whether to look for the shortest walk that fails; by default yes. */
  readonly shrink?: boolean;
  readonly walked?: () => void;
}

const beginnings = fc.record({
  kind: fc.constantFrom<Kind>("bot", "bot", "agent"),
  scene: fc.constantFrom(...scenes),
});

/** Rejects with the shortest walk that fails, and how to repeat it; `walked` sees each that ended well. */
export async function walk(on: WalkCluster, options: WalkOptions): Promise<Walked> {
  const count: Walked = { walks: 0, events: 0, joins: 0 };
  const commands = fc.commands(events, { size: "max", maxCommands: options.events });
  const property = fc.asyncProperty(beginnings, commands, async ({ kind, scene }, happening) => {
    await using world = await on.begin(kind);
    await arrange(world, scene);
    await go(world, happening);
    count.walks++;
    count.events += [...happening].length;
    count.joins += world.ledger.joins;
    options.walked?.();
  });
  const { walks: numRuns, seed, shrink = true } = options;
  await fc.assert(property, { numRuns, seed, endOnFailure: !shrink });
  return count;
}

async function go(world: World, happening: Iterable<Event>): Promise<void> {
  await fc.asyncModelRun(() => ({ model: {}, real: world }), happening);
  await checkEnd(world);
}
