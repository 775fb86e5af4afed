import { join } from "node:path";
import { DirectoryKeyStore, MemoryKeyStore, type KeyStore } from "#base/crypto";
import type { Logger } from "#base/kernel";
import { MemoryJoinStorage, type JoinStorage } from "#domain/join";
import { DirectoryJoinStorage, lockJoinStorage } from "#services/enrolment";
import { openDestination } from "./destinations/index.ts";
import type { DestinationConfiguration } from "./fields.ts";

/** Where a bot keeps what it needs to come back: its join state and its bound key. */
export interface BotStorage extends Disposable {
  readonly join: JoinStorage;
  readonly keys: KeyStore;
}

/** Fails early when the directory cannot be written, or another bot works in it. */
export async function openBotStorage(
  configuration: DestinationConfiguration,
  log: Logger,
): Promise<BotStorage> {
  if (configuration.type === "memory")
    return {
      join: new MemoryJoinStorage(),
      keys: new MemoryKeyStore(),
      [Symbol.dispose]: () => {},
    };
  const { path } = configuration;
  await openDestination(configuration, { log }).prepare();
  using owned = new DisposableStack();
  owned.use(lockJoinStorage(path));
  const keys = await DirectoryKeyStore.open(join(path, "keys"));
  const lock = owned.move();
  return {
    join: new DirectoryJoinStorage(path),
    keys,
    [Symbol.dispose]: () => lock.dispose(),
  };
}
