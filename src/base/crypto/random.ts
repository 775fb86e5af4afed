import { hash, randomBytes, timingSafeEqual } from "node:crypto";

/** `bytes` random bytes as lower-case hex. */
export const randomToken = (bytes = 16): string => randomBytes(bytes).toString("hex");

export const sha256 = (data: string | Uint8Array): Buffer => hash("sha256", data, "buffer");
export const sha256Hex = (data: string | Uint8Array): string => hash("sha256", data, "hex");

/** Compares two secrets in time that depends on neither; hashing first hides their lengths too. */
export function constantTimeEqual(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}
