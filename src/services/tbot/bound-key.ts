import type { KeyObject } from "node:crypto";
import type { KeyStore } from "#base/crypto";
import { emptyJoinState, presentKeys } from "#domain/join";
import { DirectoryJoinStorage, openKeyStore } from "#services/enrolment";
import type { DestinationConfiguration } from "./fields.ts";
import { keysIn, openBotStorage, type BotStorageOptions } from "./storage.ts";

interface BoundKeyOptions extends BotStorageOptions {
  readonly storage: Extract<DestinationConfiguration, { type: "directory" }>;
  /** Makes another in place of those that are there. */
  readonly overwrite: boolean;
}

/**
 * The key that a bot joins with, or will: made if there is none. A key that is there is shown also
 * while the bot runs; one is made only where none does.
 */
export async function makeBoundKey(
  options: BoundKeyOptions,
): Promise<{ publicKey: KeyObject; made: boolean }> {
  const shown = options.overwrite ? undefined : await shownKey(options);
  if (shown) return { publicKey: shown, made: false };
  await using storage = await openBotStorage(options);
  const present = options.overwrite ? undefined : await presentKey(options, storage.keys);
  if (present) return { publicKey: present, made: false };
  return { publicKey: await replaceAll(storage.keys, options.boundKey.key_suite), made: true };
}

async function shownKey(options: BoundKeyOptions): Promise<KeyObject | undefined> {
  const { storage, boundKey: fields, env, clock } = options;
  const directory = keysIn(storage.path);
  await using opened = await openKeyStore({ fields, directory, env, clock });
  return await presentKey(options, opened.keys);
}

async function presentKey(
  { storage }: BoundKeyOptions,
  keys: KeyStore,
): Promise<KeyObject | undefined> {
  const state = (await new DirectoryJoinStorage(storage.path).load()) ?? emptyJoinState();
  const [keyId] = await presentKeys(keys, state);
  return keyId === undefined ? undefined : await keys.public(keyId);
}

async function replaceAll(
  keys: KeyStore,
  suite: BotStorageOptions["boundKey"]["key_suite"],
): Promise<KeyObject> {
  const before = await keys.list();
  const made = await keys.create(suite ?? keys.suites[0] ?? "ed25519");
  for (const { keyId } of before) await keys.remove(keyId);
  return made.publicKey;
}
