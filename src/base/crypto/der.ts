/**
 * Writing DER (X.690). Only what certificates and keys need, and only definite, minimal lengths;
 * `der-reader.ts` is its strict counterpart.
 */

/** Identifier octets of the universal types that appear in certificates. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `[number]`, constructed for a wrapper (EXPLICIT) or a structure, else primitive. */
export function contextTag(number: number, form: "constructed" | "primitive"): number {
  return (form === "constructed" ? 0xa0 : 0x80) | number;
}

/** One element: identifier, length, and the parts as content, copied once. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
  const element = Buffer.allocUnsafe(header + length);
  element[0] = tag;
  writeLength(element, length, header);
  let offset = header;
  for (const part of parts) {
    element.set(part, offset);
    offset += part.length;
  }
  return element;
}

function writeLength(element: Buffer, length: number, header: number): void {
  if (header === 2) {
    element[1] = length;
    return;
  }
  element[1] = 0x80 | (header - 2);
  element.writeUIntBE(length, 2, header - 2);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(tags.sequence, ...parts);

/** A non-negative INTEGER from its big-endian bytes; leading zeros are dropped or added as DER asks. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return (digits[0] ?? 0) >= 0x80 || digits.length === 0
    ? der(tags.integer, Buffer.of(0), digits)
    : der(tags.integer, digits);
}

/** A BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array): Buffer => der(tags.bitString, NO_UNUSED_BITS, bytes);
const NO_UNUSED_BITS = Buffer.of(0);

/** OBJECT IDENTIFIER from `1.2.840…`; arcs of any size. */
export function oid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  return der(tags.oid, ...[first * 40n + second, ...rest].map(base128));
}

function base128(arc: bigint): Buffer {
  const digits = [Number(arc & 0x7fn)];
  for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80);
  return Buffer.from(digits);
}
