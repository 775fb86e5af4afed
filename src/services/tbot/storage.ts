import { join } from "node:path";
import { DirectoryKeyStore, MemoryKeyStore, type KeyStore } from "#base/crypto";
import type { Logger } from "#base/kernel";
import { MemoryJoinStorage, type JoinStorage } from "#domain/join";
import { DirectoryJoinStorage } from "#services/enrolment";
import { openDestination } from "./destinations/index.ts";
import type { DestinationConfiguration } from "./fields.ts";

/** Where a bot keeps what it needs to come back: its join state and its bound key. */
export interface BotStorage {
  readonly join: JoinStorage;
  readonly keys: KeyStore;
}

/** Fails early when the directory cannot be written. */
export async function openBotStorage(
  configuration: DestinationConfiguration,
  log: Logger,
): Promise<BotStorage> {
  if (configuration.type === "memory")
    return { join: new MemoryJoinStorage(), keys: new MemoryKeyStore() };
  await openDestination(configuration, { log }).prepare();
  return {
    join: new DirectoryJoinStorage(configuration.path),
    keys: await DirectoryKeyStore.open(join(configuration.path, "keys")),
  };
}
