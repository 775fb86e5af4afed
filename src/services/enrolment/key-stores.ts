import { readFile } from "node:fs/promises";
import {
  decodeStaticKey,
  DirectoryKeyStore,
  MemoryKeyStore,
  Pkcs11KeyStore,
  StaticKeyStore,
  type KeyStore,
} from "#base/crypto";
import { badParameter, fileError, notFound, type Clock } from "#base/kernel";
import type { BoundKeyFields } from "./bound-key-fields.ts";

export interface KeyStoreOptions {
  readonly fields: BoundKeyFields;
  /** Where keys lie that nothing else was said of; without it they end with the process. */
  readonly directory: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

const STATIC_KEY_ENV = "TBOT_BOUND_KEYPAIR_STATIC_KEY";

/** Where the bound key lives: a token, a static key, a directory or memory, in this order. */
export async function openKeyStore(
  options: KeyStoreOptions,
): Promise<{ readonly keys: KeyStore } & AsyncDisposable> {
  const { fields, directory, env } = options;
  if (fields.pkcs11) return await openToken(fields.pkcs11, options);
  const given = await staticKey(fields.static_key_path, env);
  if (given) return kept(new StaticKeyStore(decodeStaticKey(given.text, given.where)));
  return kept(
    directory === undefined ? new MemoryKeyStore() : await DirectoryKeyStore.open(directory),
  );
}

const kept = (keys: KeyStore): { readonly keys: KeyStore } & AsyncDisposable => ({
  keys,
  [Symbol.asyncDispose]: async () => {},
});

async function staticKey(
  path: string | undefined,
  env: KeyStoreOptions["env"],
): Promise<{ readonly text: string; readonly where: string } | undefined> {
  if (path !== undefined)
    return { text: await readSecret(path, "the static key"), where: `"${path}"` };
  const text = env[STATIC_KEY_ENV];
  return text === undefined || text === "" ? undefined : { text, where: STATIC_KEY_ENV };
}

async function openToken(
  pkcs11: NonNullable<BoundKeyFields["pkcs11"]>,
  { env, clock }: KeyStoreOptions,
): Promise<{ readonly keys: KeyStore } & AsyncDisposable> {
  const { module, slot, token_label: tokenLabel, key_label: keyLabel } = pkcs11;
  const keys = await Pkcs11KeyStore.open({
    module,
    ...(slot === undefined ? {} : { slot }),
    ...(tokenLabel === undefined ? {} : { tokenLabel }),
    pin: await pinOf(pkcs11, env),
    keyLabel,
    clock,
  });
  return { keys, [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose]() };
}

async function pinOf(
  { pin, pin_path: path, pin_env: name }: NonNullable<BoundKeyFields["pkcs11"]>,
  env: KeyStoreOptions["env"],
): Promise<string> {
  if (pin !== undefined) return pin;
  if (path !== undefined) return await readSecret(path, "the PIN");
  const value = env[name!];
  if (value) return value;
  throw notFound(`the environment variable "${name}", which should hold the PIN, is not set`);
}

async function readSecret(path: string, what: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError(`cannot read ${what} from "${path}"`, error);
  });
  if (text.trim() !== "") return text.trim();
  throw badParameter(`the file "${path}", which should hold ${what}, is empty`);
}
