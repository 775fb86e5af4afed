import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";

/** NIST SP 800-131A: shorter ones are within reach of those who want to. */
const MIN_MODULUS_BITS = 2048;
/** Longer ones make each verification take milliseconds. */
const MAX_MODULUS_BITS = 8192;

/** Whether the key is one at all, and of a kind that nobody is known to forge signatures of. */
export function isSound(jwk: JsonWebKey): boolean {
  const key = imported(jwk);
  if (!key) return false;
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (modulusLength === undefined || publicExponent === undefined) return true;
  return (
    modulusLength >= MIN_MODULUS_BITS &&
    modulusLength <= MAX_MODULUS_BITS &&
    publicExponent >= 3n &&
    publicExponent % 2n === 1n &&
    !hasRocaShape(BigInt(`0x${Buffer.from(jwk.n ?? "", "base64url").toString("hex")}`))
  );
}

/** `undefined` also for points that are not on their curve. */
function imported(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined;
  }
}

const PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157] as const;

/**
 * CVE-2017-15361: moduli of that library are powers of 65537 modulo each small prime, which makes them
 * factorable; one of another library is so by chance once in 2^27 keys.
 */
const hasRocaShape = (modulus: bigint): boolean =>
  PRIMES.every((prime) => powersModulo(prime).has(Number(modulus % BigInt(prime))));

function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return powers;
}
