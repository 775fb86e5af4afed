import { badParameter } from "#base/kernel";

/** The SSH wire encoding (RFC 4251 section 5): what keys and certificates are made of. */

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** A `string`: length and bytes (UTF-8 for text). */
export function sshString(value: string | Uint8Array): Buffer {
  const length = typeof value === "string" ? Buffer.byteLength(value) : value.length;
  const bytes = Buffer.allocUnsafe(4 + length);
  bytes.writeUInt32BE(length);
  if (typeof value === "string") bytes.write(value, 4);
  else bytes.set(value, 4);
  return bytes;
}

/** A non-negative `mpint` from big-endian bytes. */
export function mpint(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return sshString((digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** Reads in order; every failure is `bad_parameter`. */
export class SshReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #offset = 0;

  /** `what` names the document in errors: `the SSH certificate`. */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length;
  }

  get offset(): number {
    return this.#offset;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  string(): Buffer {
    return this.#take(this.uint32());
  }

  /** A `string` of valid UTF-8 without NUL. */
  text(): string {
    const bytes = this.string();
    const text = bytes.toString("utf8");
    if (text.includes("\0") || !Buffer.from(text).equals(bytes)) throw this.fail("a broken text");
    return text;
  }

  end(): void {
    if (!this.done) throw this.fail("bytes after its end");
  }

  fail(reason: string): Error {
    return badParameter(`${this.#what} is malformed: ${reason}`);
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#offset) throw this.fail("it ends early");
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }
}
