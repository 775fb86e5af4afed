import { badParameter } from "#base/kernel";
import { tags } from "./der.ts";

/**
 * Reading DER (X.690) strictly: definite, minimal lengths, one-byte identifiers, nothing left over.
 * Every failure is `bad_parameter`; the caller decides what an unreadable document means.
 */

/** Certificates with many roles reach a few KiB; what is larger is not one of ours. */
export const MAX_DER_BYTES = 64 * 1024;
/** An X.509 certificate nests eight levels; deeper input only tries our patience. */
const MAX_DEPTH = 12;

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Identifier, length and content. */
  readonly raw: Buffer;
}

/** Walks the elements of one constructed value. */
export class DerReader {
  readonly #bytes: Buffer;
  readonly #depth: number;
  #offset = 0;

  private constructor(bytes: Buffer, depth: number) {
    if (depth > MAX_DEPTH) throw malformed("nested too deep");
    this.#bytes = bytes;
    this.#depth = depth;
  }

  /** Over a whole document. */
  static of(bytes: Uint8Array): DerReader {
    if (bytes.length > MAX_DER_BYTES) throw malformed(`longer than ${MAX_DER_BYTES} bytes`);
    return new DerReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The next element's identifier; `undefined` at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** The next element, which must be of this type (any, when absent). */
  next(tag?: number): DerElement {
    const start = this.#offset;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) throw malformed("an identifier of several bytes");
    if (tag !== undefined && found !== tag) throw malformed(`type ${found} where ${tag} was due`);
    const length = this.#length();
    const from = this.#offset;
    this.#offset = from + length;
    if (this.#offset > this.#bytes.length) throw malformed("it ends early");
    return {
      tag: found,
      content: this.#bytes.subarray(from, this.#offset),
      raw: this.#bytes.subarray(start, this.#offset),
    };
  }

  optional(tag: number): DerElement | undefined {
    return this.peek() === tag ? this.next(tag) : undefined;
  }

  /** The elements inside the next one, which must be constructed. */
  enter(tag: number = tags.sequence): DerReader {
    return this.inside(this.next(tag));
  }

  /** The elements inside an element that was read before. */
  inside(element: DerElement): DerReader {
    return new DerReader(element.content, this.#depth + 1);
  }

  /** Refuses bytes after the last expected element. */
  end(): void {
    if (!this.done) throw malformed("bytes after its end");
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw malformed("it ends early");
    return byte;
  }

  /** X.690 clause 10.1: definite, and in the fewest bytes. */
  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw malformed("an indefinite or oversized length");
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed("a length not in short form");
    return length;
  }
}

export function malformed(what: string): Error {
  return badParameter(`the DER is malformed: ${what}`);
}

/** The only element of `bytes`. */
export function readSingle(bytes: Uint8Array, tag?: number): DerElement {
  const reader = DerReader.of(bytes);
  const element = reader.next(tag);
  reader.end();
  return element;
}

/** Big-endian bytes of an INTEGER's content, two's complement, checked for minimal form. */
export function integerBytes({ content }: DerElement): Buffer {
  const [first, second = 0] = content;
  if (first === undefined) throw malformed("an empty integer");
  const padded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (content.length > 1 && padded) throw malformed("an integer not in short form");
  return content;
}

/** An INTEGER from 0 to 2^31 - 1. */
export function smallInteger(element: DerElement): number {
  const bytes = integerBytes(element);
  const value = bytes.length > 4 ? -1 : bytes.readIntBE(0, bytes.length);
  if (value < 0) throw malformed("an integer out of range");
  return value;
}

export function booleanOf({ content }: DerElement): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw malformed("a boolean that is neither true nor false");
  return content[0] === 0xff;
}

/** The content of a BIT STRING of whole bytes. */
export function wholeBytes({ content }: DerElement): Buffer {
  if (content[0] !== 0) throw malformed("a bit string that is not of whole bytes");
  return content.subarray(1);
}

/** Longest accepted arc is 128 bits: what a UUID under 2.25 takes. */
const MAX_ARC = 1n << 128n;
const MAX_ARC_BYTES = 19;
/** So many times seven bits are exact in a number, which is quicker than a bigint. */
const PLAIN_ARC_BYTES = 7;

/** Dotted form of an OBJECT IDENTIFIER. */
export function oidOf({ content }: DerElement): string {
  if (content.length === 0 || content.at(-1)! >= 0x80) throw malformed("an unfinished identifier");
  const arcs: (number | bigint)[] = [];
  for (let start = 0, end = 1; end <= content.length; end++) {
    if (content[end - 1]! >= 0x80) continue;
    arcs.push(arcOf(content.subarray(start, end)));
    start = end;
  }
  const [head = 0, ...rest] = arcs;
  const root = head < 80 ? Math.floor(Number(head) / 40) : 2;
  const second = typeof head === "number" ? head - root * 40 : head - BigInt(root * 40);
  return [root, second, ...rest].join(".");
}

/** One arc, seven bits in each byte. */
function arcOf(bytes: Buffer): number | bigint {
  if (bytes[0] === 0x80) throw malformed("an identifier not in short form");
  if (bytes.length <= PLAIN_ARC_BYTES) {
    let arc = 0;
    for (const byte of bytes) arc = arc * 128 + (byte & 0x7f);
    return arc;
  }
  let arc = 0n;
  for (const byte of bytes.subarray(0, MAX_ARC_BYTES)) arc = (arc << 7n) | BigInt(byte & 0x7f);
  if (bytes.length > MAX_ARC_BYTES || arc >= MAX_ARC)
    throw malformed("an identifier with an oversized arc");
  return arc;
}
