import { randomBytes } from "node:crypto";
import { badParameter } from "#base/kernel";
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

/** The secret with its first code used up; `bad_parameter` when the code does not come from it. */
export async function newTotp(secret: string, code: string, now: number): Promise<StoredTotp> {
  const step = await totpStep(code, { secret, used_step: 0 }, now);
  if (step !== undefined) return { secret, used_step: step };
  throw badParameter(
    "the code is not the one that the authenticator app should show now; is the clock of the phone right?",
  );
}

/** When the last code was taken, in milliseconds since the epoch; nothing when none was. */
export const totpUsed = ({ used_step: step }: StoredTotp): number | undefined =>
  step === 0 ? undefined : step * PERIOD_S * 1_000;

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
