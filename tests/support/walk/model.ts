// docs/protocols/joining.md a second time: what the next join of a machine comes to.
import type { JsonObject } from "#base/storage";
import { readResync } from "#domain/join";
import type { BotInstance } from "#domain/resources";
import type { Machine } from "../join-machine.ts";
import { presentedBy, type Presented } from "./disks.ts";
import { verdictOn, type Attempt, type Verdict, type View } from "./verdict.ts";
import type { World } from "./world.ts";

export type Prediction = "joins" | "refused" | "found";

/** The rules alone, from what the machine and the cluster hold. */
export async function predict(world: World, machine: Machine): Promise<Prediction> {
  const view = await viewOf(world);
  const presented = await presentedBy(world.cluster, machine);
  const run = new Run(view, presented);
  const last = run.withKey(presented.keys[0]!, false);
  if (last === "stranger" && view.window !== undefined) run.withOlderKeys();
  if (run.joined) return "joins";
  return run.found ? "found" : "refused";
}

/** One call of the client: its attempts follow each other, and a lock that one makes stops the next. */
class Run {
  joined = false;
  found = false;
  readonly #view: View;
  readonly #presented: Presented;
  readonly #locks: Set<string>;

  constructor(view: View, presented: Presented) {
    this.#view = view;
    this.#presented = presented;
    this.#locks = new Set(view.locks);
  }

  /** As a refresh if there is a certificate, and then without it. */
  withKey(key: string, older: boolean): Verdict {
    const { certificate, state } = this.#presented;
    const secret = older || state === undefined ? this.#presented.secret : "";
    const first = this.#attempt({ ...this.#presented, key, secret });
    if (first === "joins" || certificate === undefined) return first;
    return this.#attempt({ ...this.#presented, key, secret, certificate: undefined });
  }

  withOlderKeys(): void {
    const { keys, secret } = this.#presented;
    for (const key of secret ? keys : keys.slice(1))
      if (this.withKey(key, true) !== "stranger") return;
  }

  #attempt(attempt: Attempt): Verdict {
    const verdict = verdictOn({ ...this.#view, locks: this.#locks }, attempt);
    if (verdict === "joins") this.joined = true;
    if (typeof verdict === "object") {
      this.found = true;
      this.#locks.add(verdict.found);
    }
    return verdict;
  }
}

async function viewOf({ cluster, kind }: World): Promise<View> {
  const instances = new Map<string, number>();
  const { items } = await cluster.store.list({ kind: "bot_instance", limit: 1_000 });
  for (const { name, value } of items) instances.set(name.split(":")[1]!, generationIn(value));
  const locks = new Set<string>();
  const now = cluster.clock.now();
  for (const { spec } of await cluster.settled())
    for (const [target, value] of Object.entries(spec.target)) locks.add(`${target}:${value}`);
  const token = await cluster.resources.get("token", "t");
  const window = (await readResync(cluster))?.id;
  return { agent: kind === "agent", now, token, instances, locks, window };
}

const generationIn = (value: JsonObject): number =>
  (value as unknown as BotInstance).status?.generation ?? 0;
