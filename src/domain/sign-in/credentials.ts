import { randomToken } from "#base/crypto";
import type { IndexDefinition, Item, Store, Write } from "#base/storage";
import * as z from "zod";
import { storedPasskey, type StoredPasskey } from "./passkey.ts";
import { storedPassword } from "./password.ts";
import { storedTotp } from "./totp.ts";

/** How one person signs in. Never shown: it is no resource, and has a kind of its own in the store. */
const stored = z.strictObject({
  user: z.string(),
  /** Random; a passkey brings it instead of the name. */
  handle: z.string(),
  password: storedPassword.optional(),
  totp: storedTotp.optional(),
  passkeys: z.array(storedPasskey).default([]),
});
export type Credentials = z.infer<typeof stored>;

/** With the revision at which it was read; none for a person without any. */
export interface Held {
  readonly credentials: Credentials;
  readonly revision?: string;
}

const KIND = "sign_in_credentials";

export const credentialIndexes: readonly IndexDefinition[] = [
  { kind: KIND, name: "handle", version: 1, key: (value) => [stored.parse(value).handle] },
];

export async function credentialsOf(store: Pick<Store, "get">, user: string): Promise<Held> {
  const item = await store.get(KIND, user);
  if (item) return heldOf(item);
  return { credentials: { user, handle: randomToken(), passkeys: [] } };
}

/** The person that a passkey names. */
export async function credentialsByHandle(
  store: Pick<Store, "list">,
  handle: string,
): Promise<Held | undefined> {
  const range = { index: "handle", from: handle, to: `${handle}\0`, limit: 1 };
  const { items } = await store.list({ kind: KIND, ...range });
  return items[0] && heldOf(items[0]);
}

/** Only as long as nobody wrote meanwhile: a code or a counter is not used twice. */
export function writeOfCredentials({ revision }: Held, next: Credentials): Write {
  const about = { kind: KIND, name: next.user, value: stored.parse(next) };
  return revision === undefined ? { op: "create", ...about } : { op: "update", revision, ...about };
}

export function removalOfCredentials({ credentials, revision }: Held): readonly Write[] {
  if (revision === undefined) return [];
  return [{ op: "delete", kind: KIND, name: credentials.user, revision }];
}

export function withPasskey(credentials: Credentials, passkey: StoredPasskey): Credentials {
  const others = credentials.passkeys.filter(({ id }) => id !== passkey.id);
  return { ...credentials, passkeys: [...others, passkey] };
}

const heldOf = ({ value, revision }: Item): Held => ({
  credentials: stored.parse(value),
  revision,
});
