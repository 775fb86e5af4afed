import { join } from "node:path";
import type { KeyStore } from "#base/crypto";
import { removeLeftovers, type Clock, type Logger } from "#base/kernel";
import { MemoryJoinStorage, type JoinStorage, type RotationWish } from "#domain/join";
import {
  DirectoryJoinStorage,
  DirectoryRotationWish,
  lockJoinStorage,
  openKeyStore,
  type BoundKeyFields,
} from "#services/enrolment";
import { openDestination } from "./destinations/index.ts";
import type { DestinationConfiguration } from "./fields.ts";
import { DirectorySpawnedMemory, type SpawnedMemory } from "./spawned-memory.ts";

/** Where a bot keeps what it needs to come back: its join state and its bound key. */
export interface BotStorage extends AsyncDisposable {
  readonly join: JoinStorage;
  readonly keys: KeyStore;
  /** Only a storage that others can reach has one. */
  readonly wish?: RotationWish;
  /** The same. */
  readonly spawned?: SpawnedMemory;
}

export interface BotStorageOptions {
  readonly storage: DestinationConfiguration;
  readonly boundKey: BoundKeyFields;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where bound keys lie, if not elsewhere; the other files of a storage are beside it. */
export const keysIn = (path: string): string => join(path, "keys");

/** Fails early when the directory cannot be written, or another bot works in it. */
export async function openBotStorage(options: BotStorageOptions): Promise<BotStorage> {
  const { storage, boundKey: fields, env, clock, log } = options;
  await using owned = new AsyncDisposableStack();
  if (storage.type === "memory") {
    const { keys } = owned.use(await openKeyStore({ fields, directory: undefined, env, clock }));
    return { join: new MemoryJoinStorage(), keys, ...disposing(owned.move()) };
  }
  const { path } = storage;
  await openDestination(storage, { log }).prepare();
  owned.use(lockJoinStorage(path));
  await Promise.all([path, keysIn(path)].map(removeLeftovers));
  const { keys } = owned.use(await openKeyStore({ fields, directory: keysIn(path), env, clock }));
  return {
    join: new DirectoryJoinStorage(path),
    keys,
    wish: new DirectoryRotationWish(path),
    spawned: new DirectorySpawnedMemory(path),
    ...disposing(owned.move()),
  };
}

const disposing = (held: AsyncDisposableStack): AsyncDisposable => ({
  [Symbol.asyncDispose]: () => held.disposeAsync(),
});
