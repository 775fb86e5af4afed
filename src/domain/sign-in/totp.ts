import { randomBytes } from "node:crypto";
import type { TOTP } from "otpauth";
import * as z from "zod";

/** RFC 6238: SHA-1, six digits, thirty seconds: what every authenticator app takes. */
export const storedTotp = z.strictObject({
  /** Base32. Secret. */
  secret: z.string(),
  /** The last time step that was used: a code is taken once. */
  used_step: z.int().default(0),
});
export type StoredTotp = z.infer<typeof storedTotp>;

const PERIOD_S = 30;
/** A clock may be wrong by one step on either side. */
const WINDOW = 1;

/** RFC 4648, which authenticator apps read. */
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** 160 random bits. */
export const newTotpSecret = (): string =>
  Array.from(randomBytes(32), (byte) => BASE32[byte % BASE32.length]).join("");

/** `otpauth://totp/…`: what an authenticator app reads from a QR code. */
export async function totpUri(about: {
  secret: string;
  user: string;
  clusterName: string;
}): Promise<string> {
  const { secret, user: label, clusterName: issuer } = about;
  return (await totpOf(secret, { issuer, label })).toString();
}

/** The time step of a code that is good now and was not used before; nothing for any other. */
export async function totpStep(
  code: string,
  stored: StoredTotp,
  now: number,
): Promise<number | undefined> {
  const digits = code.replaceAll(/\s/g, "");
  const totp = await totpOf(stored.secret);
  const delta = totp.validate({ token: digits, timestamp: now, window: WINDOW });
  if (delta === null) return undefined;
  const step = Math.floor(now / 1_000 / PERIOD_S) + delta;
  return step > stored.used_step ? step : undefined;
}

/** Loaded when somebody signs in: a cluster without people does not pay for it. */
async function totpOf(
  secret: string,
  named: { issuer?: string; label?: string } = {},
): Promise<TOTP> {
  const { Secret, TOTP } = await import("otpauth");
  return new TOTP({ ...named, secret: Secret.fromBase32(secret), period: PERIOD_S });
}
