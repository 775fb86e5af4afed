// The stores that walks run on.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "#base/kernel";
import { openSqliteStore } from "#base/storage";
import { WalkCluster } from "./world.ts";

export const walkStores = ["memory", "sqlite"] as const;
export type WalkStore = (typeof walkStores)[number];

/** Runs on a cluster whose store is gone afterwards. */
export async function withWalkCluster<T>(
  store: WalkStore,
  run: (on: WalkCluster) => Promise<T>,
): Promise<T> {
  return store === "memory" ? await onMemory(run) : await onSqlite(run);
}

async function onMemory<T>(run: (on: WalkCluster) => Promise<T>): Promise<T> {
  await using on = await WalkCluster.open();
  return await run(on);
}

/** A real file with durable commits, which is closed and opened again while the walk goes on. */
async function onSqlite<T>(run: (on: WalkCluster) => Promise<T>): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), "tenon-walk-"));
  try {
    await using on = await WalkCluster.open(async (options) => {
      const open = () =>
        openSqliteStore({ ...options, directory: join(parent, "store"), logger: silentLogger });
      let store = await open();
      const reopen = async () => {
        await store[Symbol.asyncDispose]();
        store = await open();
        return store;
      };
      return { store, reopen };
    });
    return await run(on);
  } finally {
    await rm(parent, { recursive: true });
  }
}
