import { randomToken, sha256Hex } from "#base/crypto";
import { notFound, type Clock } from "#base/kernel";
import type { Item, Store, Write } from "#base/storage";
import * as z from "zod";
import { INVITATION_MS } from "./limits.ts";
import { newTotpSecret } from "./totp.ts";

/** `recovery` replaces all that the person signed in with before. */
export const invitationPurposes = ["invitation", "recovery"] as const;
export type InvitationPurpose = (typeof invitationPurposes)[number];

const stored = z.strictObject({
  user: z.string(),
  purpose: z.enum(invitationPurposes),
  /** What becomes the person's TOTP secret. */
  totp_secret: z.string(),
});

/** A link that lets one person choose how to sign in, once. */
export interface Invitation extends z.infer<typeof stored> {
  /** Milliseconds since the epoch. */
  readonly expires: number;
  readonly item: Item;
}

/** Kept under the hash of its token: who reads the store cannot use it. */
const KIND = "sign_in_invitation";
const nameOf = (token: string): string => sha256Hex(token);

export function newInvitation(
  clock: Pick<Clock, "now">,
  about: { user: string; purpose: InvitationPurpose },
): { token: string; expires: number; write: Write } {
  const token = randomToken(32);
  const expires = clock.now() + INVITATION_MS;
  const value = { ...about, totp_secret: newTotpSecret() };
  const write: Write = { op: "create", kind: KIND, name: nameOf(token), value, expires };
  return { token, expires, write };
}

/** `not_found` for one that never was, was used, or has expired: nobody is told which. */
export async function readInvitation(
  store: Pick<Store, "get">,
  token: string,
): Promise<Invitation> {
  const item = await store.get(KIND, nameOf(token));
  if (item) return { ...stored.parse(item.value), expires: item.expires!, item };
  throw notFound("this link was used, or has expired; ask an administrator for another one");
}

export const removalOfInvitation = ({ item }: Invitation): Write => ({
  op: "delete",
  kind: KIND,
  name: item.name,
  revision: item.revision,
});
