// What a walk holds in its hands: a cluster, its disk, an administrator, machines and their copies.
import { randomUUID } from "node:crypto";
import { sshPublicKeyLine } from "#base/crypto";
import type { Store } from "#base/storage";
import { readResync, type JoinState } from "#domain/join";
import { backUp } from "../join-backup.ts";
import { JoinCluster } from "../join.ts";
import { Machine } from "../join-machine.ts";
import { Disk } from "./disk.ts";
import { forgetRead, stateIn } from "./disks.ts";
import { Ledger, type Bookmark } from "./ledger.ts";

export type Kind = "bot" | "agent";

const HOUR = 3_600_000;

/** An open store, and how to open the same data again in its place. */
export interface Mounted {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
}

type OpenStore = (
  options: Parameters<NonNullable<Parameters<typeof JoinCluster.open>[1]>>[0],
) => Promise<Mounted>;

/** What walks leave in the store; authorities and the bot stay from one to the next. */
const kinds = [
  "token",
  "bot_instance",
  "lock",
  "agent_host",
  "join_attempt",
  "cluster_state",
  "event",
] as const;

/** One cluster for many walks, one after the other. */
export class WalkCluster implements AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly disk: Disk;
  readonly #reopen: (() => Promise<Store>) | undefined;
  readonly #start: number;

  private constructor(cluster: JoinCluster, disk: Disk, reopen?: () => Promise<Store>) {
    this.cluster = cluster;
    this.disk = disk;
    this.#reopen = reopen;
    // The authorities themselves must stay valid when the clock jumps back.
    this.#start = cluster.clock.now() + 9000 * HOUR;
  }

  static async open(openStore?: OpenStore): Promise<WalkCluster> {
    const disk = new Disk();
    let mounted: Mounted | undefined;
    const opening =
      openStore &&
      (async (options: Parameters<OpenStore>[0]) => (mounted = await openStore(options)).store);
    const cluster = await JoinCluster.open((store) => disk.mount(store), opening);
    return new WalkCluster(cluster, disk, mounted?.reopen);
  }

  /** A world in which nothing has happened yet. */
  async begin(kind: Kind): Promise<World> {
    const { cluster, disk } = this;
    forgetRead();
    disk.observe = () => {};
    disk.fault = undefined;
    // In this order: what had expired is there again.
    cluster.clock.jump(this.#start - cluster.clock.now());
    await this.#clear();
    if (disk.killed) await this.restart({ anew: false });
    const world = new World(this, kind);
    disk.observe = (writes) => world.ledger.observe(writes);
    await world.makeToken("secret");
    return world;
  }

  async #clear(): Promise<void> {
    const { store } = this.cluster;
    const pages = await Promise.all(kinds.map((kind) => store.list({ kind, limit: 1_000 })));
    const left = pages.flatMap((page) => page.items).slice(0, 1_000);
    if (left.length === 0) return;
    await store.commit(left.map(({ kind, name }) => ({ op: "delete", kind, name })));
    await this.#clear();
  }

  /** The auth server starts again; `anew`: with the store opened again, too, where that is a file. */
  async restart({ anew }: { readonly anew: boolean }): Promise<void> {
    const { cluster, disk } = this;
    if (anew && this.#reopen) disk.remount(await this.#reopen());
    await cluster.restart(disk.session(cluster.store));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }
}

export class World {
  readonly cluster: JoinCluster;
  readonly disk: Disk;
  readonly ledger = new Ledger();
  readonly kind: Kind;
  /** The first is the honest machine; the others are copies of one before them, or strangers to it. */
  readonly machines: Machine[] = [];
  /** Nobody but the first machine has its key, and nothing made the cluster forget it unannounced. */
  honest = true;
  /** A restore took something away that the honest machine has not yet brought back. */
  behind = false;
  /** What the last join that failed was told. */
  refused = "";
  /** The latest time at which something was signed. */
  latest: number;
  /** Counts restores: what was joined in another timeline is not for this one to know. */
  timeline = 0;
  readonly joinedIn = new Map<Machine, number>();
  readonly keptDisks = new Map<Machine, JoinState>();
  backup: { readonly restore: () => Promise<void>; readonly mark: Bookmark } | undefined;
  readonly #walks: WalkCluster;

  constructor(walks: WalkCluster, kind: Kind) {
    this.#walks = walks;
    this.cluster = walks.cluster;
    this.disk = walks.disk;
    this.kind = kind;
    this.latest = this.cluster.clock.now();
    this.addMachine();
  }

  machine(index: number): Machine {
    return this.machines[index % this.machines.length]!;
  }

  addMachine(): void {
    const facts = { hostname: "m", os: "linux", architecture: "x64", version: "1.0.0" };
    const host = { ...facts, hostId: randomUUID() };
    const role = this.kind === "bot" ? "Bot" : "App";
    this.machines.push(new Machine(this.cluster, { token: "t", role, host }));
  }

  /** The same disk in a second machine. */
  async copy(machine: Machine): Promise<Machine> {
    const copy = await machine.copy();
    const joinedIn = this.joinedIn.get(machine);
    if (joinedIn !== undefined) this.joinedIn.set(copy, joinedIn);
    return copy;
  }

  /** For whoever knows the secret, or for the key that the first machine uses. */
  async makeToken(first: "secret" | "key"): Promise<void> {
    const onboarding =
      first === "key"
        ? { initial_public_key: await this.firstKey() }
        : { registration_secret: "s3cret" };
    const use = this.kind === "bot" ? { roles: ["Bot"], bot_name: "robo" } : { roles: ["App"] };
    await this.cluster.put({
      kind: "token",
      version: "v2",
      metadata: { name: "t" },
      spec: {
        ...use,
        join_method: "bound_keypair",
        bound_keypair: { onboarding, recovery: { limit: 3 } },
      },
    });
  }

  async firstKey(): Promise<string> {
    const { keys, storage } = this.machines[0]!;
    const stored = (await storage.load())?.bound_keys[0];
    const keyId = stored ?? (await keys.list())[0]?.keyId ?? (await keys.create("ed25519")).keyId;
    return sshPublicKeyLine(await keys.public(keyId));
  }

  restart(how: { readonly anew: boolean }): Promise<void> {
    return this.#walks.restart(how);
  }

  /** A machine that the window did not see is taken for a copy, as the page says. */
  async noticeForgotten(): Promise<void> {
    if (this.behind && !(await readResync(this.cluster))) this.honest = false;
  }

  async backUp(): Promise<void> {
    this.backup = { restore: await backUp(this.cluster), mark: this.ledger.mark() };
  }

  /** The store is as it was when it was backed up. */
  async restore(): Promise<void> {
    if (!this.backup) return;
    const { restore, mark } = this.backup;
    await restore();
    this.ledger.returnTo(mark);
    this.timeline++;
    this.behind = true;
    if (this.kind === "agent" && (await this.#inAnotherLife())) this.honest = false;
  }

  /** Of an agent's lives the store knows only the present one: then it has to be reset, the page says. */
  async #inAnotherLife(): Promise<boolean> {
    const status = (await this.cluster.resources.get("token", "t"))?.status?.bound_keypair;
    const state = await stateIn(this.machines[0]!);
    const bound = status?.first_instance_id ?? "";
    return bound !== "" && state !== undefined && state.life !== bound;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.settled()));
    this.disk.observe = () => {};
  }
}
