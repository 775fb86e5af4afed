/** What routing needs of a TLS ClientHello (RFC 8446 section 4.1.2). */
export interface ClientHello {
  /** The host name of server_name (RFC 6066 section 3), in lower case. */
  readonly serverName?: string;
  /** The client's ALPN names in its order (RFC 7301); empty when it sent none. */
  readonly alpn: readonly string[];
  /** The highest version that the client offers: 0x0304 is TLS 1.3. GREASE (RFC 8701) is left out. */
  readonly maxVersion: number;
}

export type ClientHelloParse =
  /** At least `need` bytes in all are needed to say more; more may be needed then. */
  | { readonly state: "incomplete"; readonly need: number }
  | { readonly state: "complete"; readonly hello: ClientHello }
  /** `alert` is the TLS alert that answers it (RFC 8446 section 6). */
  | { readonly state: "violation"; readonly reason: string; readonly alert: number };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
/** RFC 8446 section 5.1: a plaintext record holds at most 2^14 bytes. */
const MAX_RECORD = 2 ** 14;

const alerts = { unexpected_message: 10, illegal_parameter: 47, decode_error: 50 } as const;

class Violation extends Error {
  readonly alert: number;
  constructor(reason: string, alert: keyof typeof alerts = "decode_error") {
    super(reason);
    this.alert = alerts[alert];
  }
}

/** Reads the first flight of a TLS connection from its very first byte; pure, and never throws. */
export function parseClientHello(bytes: Uint8Array): ClientHelloParse {
  try {
    const message = handshakeMessage(bytes);
    if (typeof message === "number") return { state: "incomplete", need: message };
    return { state: "complete", hello: readHello(new Reader(message)) };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { state: "violation", reason: error.message, alert: error.alert };
  }
}

/** The body of the first handshake message, put together from its records; or the bytes needed. */
function handshakeMessage(bytes: Uint8Array): Uint8Array | number {
  const fragments: Uint8Array[] = [];
  let collected = 0;
  let size: number | undefined;
  for (let at = 0; ;) {
    const end = recordEnd(bytes, at);
    if (end === undefined) return atLeast(at + RECORD_HEADER, size);
    const fragment = bytes.subarray(at + RECORD_HEADER, end);
    fragments.push(fragment);
    collected += fragment.length;
    size ??= messageSize(fragments, collected);
    if (size !== undefined && collected >= size)
      return Buffer.concat(fragments).subarray(MESSAGE_HEADER, size);
    if (bytes.length < end) return atLeast(end, size);
    at = end;
  }
}

const atLeast = (need: number, size = 0): number => Math.max(need, RECORD_HEADER + size);

/** Where the record that starts at `at` ends; undefined while its header is incomplete. */
function recordEnd(bytes: Uint8Array, at: number): number | undefined {
  const [type, major, , high, low] = bytes.subarray(at, at + RECORD_HEADER);
  if (type !== undefined && type !== HANDSHAKE_RECORD)
    throw new Violation("the first bytes are no TLS handshake", "unexpected_message");
  if (major !== undefined && major !== 3) throw new Violation("the record is of no TLS version");
  if (high === undefined || low === undefined) return undefined;
  const size = high * 256 + low;
  if (size === 0 || size > MAX_RECORD)
    throw new Violation(`a record of ${size} bytes is not allowed in a handshake`);
  return at + RECORD_HEADER + size;
}

function messageSize(fragments: readonly Uint8Array[], collected: number): number | undefined {
  const head = fragments[0]![0];
  if (head !== undefined && head !== CLIENT_HELLO)
    throw new Violation("the first handshake message is no ClientHello", "unexpected_message");
  if (collected < MESSAGE_HEADER) return undefined;
  return MESSAGE_HEADER + new Reader(Buffer.concat(fragments).subarray(1)).number(3);
}

function readHello(reader: Reader): ClientHello {
  const legacyVersion = reader.number(2);
  reader.take(32);
  if (reader.vector(1).left > 32) throw new Violation("the session id is over 32 bytes");
  const suites = reader.vector(2).left;
  if (suites === 0 || suites % 2 === 1) throw new Violation("the cipher suites are malformed");
  if (reader.vector(1).left === 0) throw new Violation("there are no compression methods");
  const extensions = reader.left === 0 ? new Map<number, Reader>() : readExtensions(reader);
  const serverName = readServerName(extensions.get(0));
  return {
    ...(serverName === undefined ? {} : { serverName }),
    alpn: readAlpn(extensions.get(16)),
    maxVersion: readMaxVersion(extensions.get(43), legacyVersion),
  };
}

function readExtensions(reader: Reader): Map<number, Reader> {
  const block = reader.vector(2);
  reader.end("the ClientHello");
  const found = new Map<number, Reader>();
  while (block.left > 0) {
    const type = block.number(2);
    if (found.has(type))
      throw new Violation(`extension ${type} is there twice`, "illegal_parameter");
    found.set(type, block.vector(2));
  }
  return found;
}

/** A DNS name as RFC 6066 wants it: ASCII labels, no dot at the end, no address. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

function readServerName(extension: Reader | undefined): string | undefined {
  if (!extension) return undefined;
  const list = extension.vector(2);
  extension.end("server_name");
  if (list.number(1) !== 0)
    throw new Violation("server_name is of an unknown type", "illegal_parameter");
  const name = list.vector(2).text();
  list.end("the list of server names");
  if (!HOST_NAME.test(name))
    throw new Violation("server_name is not a host name", "illegal_parameter");
  return name.toLowerCase();
}

function readAlpn(extension: Reader | undefined): string[] {
  if (!extension) return [];
  const list = extension.vector(2);
  extension.end("ALPN");
  const names: string[] = [];
  while (list.left > 0) names.push(list.vector(1).text());
  if (names.length === 0 || names.includes("")) throw new Violation("an ALPN name is empty");
  return names;
}

function readMaxVersion(extension: Reader | undefined, legacyVersion: number): number {
  if (!extension) return legacyVersion;
  const list = extension.vector(1);
  extension.end("supported_versions");
  let highest = 0;
  while (list.left > 0) {
    const version = list.number(2);
    if (version >>> 8 === 3) highest = Math.max(highest, version);
  }
  return highest;
}

/** Reads forward; whatever leads outside the bytes is a violation. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(size: number): Uint8Array {
    if (size > this.left) throw new Violation("a length leads past the end of its field");
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  number(size: number): number {
    return this.take(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  vector(lengthSize: number): Reader {
    return new Reader(this.take(this.number(lengthSize)));
  }

  text(): string {
    return Buffer.from(this.take(this.left)).toString("latin1");
  }

  end(what: string): void {
    if (this.left > 0) throw new Violation(`${what} has bytes after its end`);
  }
}
