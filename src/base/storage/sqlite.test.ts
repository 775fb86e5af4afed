import { silentLogger } from "#base/kernel";
import { testStore, type StoreOptions } from "#testing/store-suite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

const variants = [
  { name: "SQLite", remember: [] },
  // Limits at which even a few documents are searched in every way.
  {
    name: "SQLite (remembering)",
    remember: ["doc", "other"],
    searchLimits: { walk: 2, gather: 1 },
  },
];

for (const { name, ...variant } of variants)
  testStore({
    name,
    durable: true,
    open: async (options) => {
      const directory = await mkdtemp(join(tmpdir(), "tenon-store-"));
      const open = (changes: Partial<StoreOptions> = {}): Promise<Store> =>
        openSqliteStore({ directory, ...variant, logger: silentLogger, ...options, ...changes });
      let store = await open();
      return {
        store,
        reopen: async (changes) => {
          await store[Symbol.asyncDispose]();
          return (store = await open(changes));
        },
        [Symbol.asyncDispose]: async () => {
          await store[Symbol.asyncDispose]();
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  });
