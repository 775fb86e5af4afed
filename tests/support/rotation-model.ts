// What the walks through rotations compare with: docs/protocols/rotation.md, written a second time.
import { auditWrite, systemActor, type EventDraft } from "#domain/audit";
import { unavailable, silentLogger } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import { Authorities, CA_KEY_KIND } from "#domain/authority";
import {
  Resources,
  storeIndexes,
  type AuthorityType,
  type CertAuthority,
  type RotationPhase,
} from "#domain/resources";
import { ManualClock } from "./clock.ts";

const HOUR = 3_600_000;
export const GRACE_MS = 30 * HOUR;

/** What is known of one authority. */
export interface Predicted {
  readonly phase: RotationPhase;
  /** When it goes on by itself. */
  readonly due?: number;
  /** The rotation goes on only by command. */
  readonly manual?: boolean;
}

const after: Readonly<Record<RotationPhase, readonly RotationPhase[]>> = {
  standby: ["init"],
  init: ["update_clients", "rollback"],
  update_clients: ["update_servers", "rollback"],
  update_servers: ["standby", "rollback"],
  rollback: ["standby"],
};

/** What a command makes of an authority; `undefined`: it is refused. */
export function predict(
  known: Predicted,
  wish: { readonly phase: RotationPhase; readonly manual: boolean },
  now: number,
): Predicted | undefined {
  const manual = wish.manual || (wish.phase !== "init" && known.manual === true);
  if (known.phase === wish.phase) {
    if (known.phase === "standby" || !wish.manual || known.manual) return known;
    return { phase: known.phase, manual: true };
  }
  if (!after[known.phase].includes(wish.phase)) return undefined;
  if (wish.phase === "standby") return { phase: "standby" };
  return manual
    ? { phase: wish.phase, manual: true }
    : { phase: wish.phase, due: now + GRACE_MS / 3 };
}

/** What its schedule makes of it. */
export function predictDue(known: Predicted, now: number): Predicted {
  if (known.due === undefined || known.due > now) return known;
  return predict(known, { phase: after[known.phase][0]!, manual: false }, now)!;
}

/** A store on which commits can fail, or lose their answer, and the auth servers that share it. */
export class RotationWorld {
  readonly clock = new ManualClock();
  readonly store: Store = openMemoryStore({ clock: this.clock, indexes: storeIndexes });
  readonly servers: Authorities[] = [];
  readonly predicted = new Map<AuthorityType, Predicted>();
  fault: "before" | "after" | undefined;
  /** `ca.rotate` events of commits that were kept. */
  moves = 0;

  static async open(types: readonly AuthorityType[]): Promise<RotationWorld> {
    const world = new RotationWorld();
    for (const type of types) world.predicted.set(type, { phase: "standby" });
    world.servers.push(await world.openServer(), await world.openServer());
    return world;
  }

  openServer(): Promise<Authorities> {
    const { clock } = this;
    const options = { clock, logger: silentLogger, clusterName: "example.test" };
    return Authorities.open({ ...options, store: this.#faulty() });
  }

  /** As an auth server is told who rotates. */
  get by() {
    const { clock } = this;
    return { actor: systemActor, audit: (event: EventDraft) => auditWrite(event, { clock }) };
  }

  async authority(type: AuthorityType): Promise<CertAuthority> {
    return await new Resources(this.store).require("cert_authority", type);
  }

  /** Names of the private keys that lie in the store. */
  async privateKeys(): Promise<string[]> {
    const { items } = await this.store.list({ kind: CA_KEY_KIND });
    return items.map(({ name }) => name).sort();
  }

  #faulty(): Store {
    const commit = async (writes: Parameters<Store["commit"]>[0]): ReturnType<Store["commit"]> => {
      const { fault } = this;
      this.fault = undefined;
      if (fault === "before") throw unavailable("the disk is gone");
      const committed = await this.store.commit(writes);
      this.moves += writes.filter(
        (write) =>
          write.kind === "event" && "value" in write && write.value["type"] === "ca.rotate",
      ).length;
      if (fault === "after") throw unavailable("the disk is gone");
      return committed;
    };
    return new Proxy(this.store, {
      get: (target, key) => {
        if (key === "commit") return commit;
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}
