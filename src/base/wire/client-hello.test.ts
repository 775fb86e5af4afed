import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { describe, test } from "node:test";
import tls from "node:tls";
import * as fc from "fast-check";
import { parseClientHello } from "./client-hello.ts";

const OPTIONS = { servername: "App.Example.com", ALPNProtocols: ["tenon-route", "h2"] };

/** The first flight of Node's own TLS client. */
async function realHello(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const accepted = once(server, "connection") as Promise<[net.Socket]>;
  const client = tls.connect({ port, host: "127.0.0.1", ...options }).on("error", () => {});
  const [socket] = await accepted;
  const chunks: Buffer[] = [];
  while (parseClientHello(Buffer.concat(chunks)).state === "incomplete")
    chunks.push(((await once(socket, "data")) as [Buffer])[0]);
  client.destroy();
  socket.destroy();
  server.close();
  return Buffer.concat(chunks);
}

const u16 = (value: number): number[] => [value >> 8, value & 255];
const vector = (lengthSize: 1 | 2, body: number[]): number[] =>
  lengthSize === 1 ? [body.length, ...body] : [...u16(body.length), ...body];
const ascii = (text: string): number[] => [...Buffer.from(text)];
const extension = (type: number, body: number[]): number[] => [...u16(type), ...vector(2, body)];
const sni = (name: string, type = 0): number[] =>
  extension(0, vector(2, [type, ...vector(2, ascii(name))]));

interface Parts {
  sessionId?: number[];
  suites?: number[];
  compression?: number[];
  extensions?: number[];
  after?: number[];
}

/** A ClientHello by hand, so that each part can be wrong. */
function hello(parts: Parts = {}): Buffer {
  const body = [
    3,
    3,
    ...Array.from({ length: 32 }, () => 7),
    ...vector(1, parts.sessionId ?? []),
    ...vector(2, parts.suites ?? [0x13, 0x01]),
    ...vector(1, parts.compression ?? [0]),
    ...(parts.extensions ? vector(2, parts.extensions) : []),
    ...(parts.after ?? []),
  ];
  return record([1, 0, ...u16(body.length), ...body]);
}

const record = (body: number[]): Buffer => Buffer.from([22, 3, 1, ...vector(2, body)]);

/** The same handshake bytes in records that hold `size` bytes each. */
function inRecords(bytes: Buffer, size: number): Buffer {
  const message = [...bytes.subarray(5)];
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size)
    records.push(record(message.slice(at, at + size)));
  return Buffer.concat(records);
}

function reasonOf(bytes: Buffer): string {
  const parsed = parseClientHello(bytes);
  assert.equal(parsed.state, "violation");
  return parsed.reason;
}

describe("parseClientHello", () => {
  test("reads what Node's client sends, with its post-quantum key share", async () => {
    const parsed = parseClientHello(await realHello(OPTIONS));
    assert.deepEqual(parsed, {
      state: "complete",
      hello: { serverName: "app.example.com", alpn: ["tenon-route", "h2"], maxVersion: 0x0304 },
    });
  });

  test("reads a TLS 1.2 hello without extensions", () => {
    assert.deepEqual(parseClientHello(hello()), {
      state: "complete",
      hello: { alpn: [], maxVersion: 0x0303 },
    });
  });

  test("is incomplete at every prefix, needs more than it has, and never more than there is", async () => {
    const bytes = await realHello(OPTIONS);
    for (let size = 0; size < bytes.length; size += 1) {
      const parsed = parseClientHello(bytes.subarray(0, size));
      assert.equal(parsed.state, "incomplete");
      assert.ok(parsed.need > size && parsed.need <= bytes.length);
    }
  });

  test("reads the same from records split at every byte, and of every size", async () => {
    const bytes = await realHello(OPTIONS);
    const expected = parseClientHello(bytes);
    const message = [...bytes.subarray(5)];
    for (let at = 1; at < message.length; at += 1) {
      const split = Buffer.concat([record(message.slice(0, at)), record(message.slice(at))]);
      assert.deepEqual(parseClientHello(split), expected);
    }
    for (const size of [1, 2, 3, 4, 5, 100]) {
      assert.deepEqual(parseClientHello(inRecords(bytes, size)), expected);
    }
  });

  const violations: [string, Buffer, RegExp][] = [
    ["a web request", Buffer.from("GET / HTTP/1.1\r\n"), /no TLS handshake/],
    ["an alert", Buffer.from([21, 3, 3, 0, 2, 2, 40]), /no TLS handshake/],
    ["SSL 2", Buffer.from([0x80, 0x2e, 1, 0, 2]), /no TLS handshake/],
    ["an unknown version", Buffer.from([22, 4, 0, 0, 1, 1]), /no TLS version/],
    ["an empty record", Buffer.from([22, 3, 1, 0, 0]), /0 bytes/],
    ["an oversized record", Buffer.from([22, 3, 1, 0x40, 1]), /16385 bytes/],
    ["a ServerHello", record([2, 0, 0, 2, 3, 3]), /no ClientHello/],
    ["a truncated body", record([1, 0, 0, 2, 3, 3]), /past the end/],
    ["a long session id", hello({ sessionId: Array.from({ length: 33 }, () => 1) }), /session id/],
    ["no cipher suites", hello({ suites: [] }), /cipher suites/],
    ["half a cipher suite", hello({ suites: [1, 2, 3] }), /cipher suites/],
    ["no compression method", hello({ compression: [] }), /compression/],
    ["bytes after the end", hello({ extensions: [], after: [0] }), /after its end/],
    ["an extension twice", hello({ extensions: [...sni("a"), ...sni("a")] }), /twice/],
    ["half an extension", hello({ extensions: [0, 0, 0, 9, 0] }), /past the end/],
    ["a server name of another type", hello({ extensions: sni("a", 1) }), /unknown type/],
    ["an empty server name", hello({ extensions: sni("") }), /not a host name/],
    ["a server name with a NUL", hello({ extensions: sni("a\0b") }), /not a host name/],
    ["a server name with a slash", hello({ extensions: sni("a/../b") }), /not a host name/],
    ["a server name with a dot at the end", hello({ extensions: sni("a.b.") }), /not a host name/],
    ["an overlong server name", hello({ extensions: sni("a".repeat(254)) }), /not a host name/],
    ["an empty ALPN name", hello({ extensions: extension(16, [0, 1, 0]) }), /ALPN/],
    ["an empty ALPN list", hello({ extensions: extension(16, [0, 0]) }), /ALPN/],
  ];
  for (const [name, bytes, reason] of violations)
    test(`refuses ${name}`, () => assert.match(reasonOf(bytes), reason));

  test("tells at once that a message will be larger than any limit", () => {
    const parsed = parseClientHello(record([1, 0xff, 0xff, 0xff]));
    assert.deepEqual(parsed, { state: "incomplete", need: 0xffffff + 9 });
  });

  test("never throws, on any bytes and on any mutation of a real hello", async () => {
    const bytes = await realHello(OPTIONS);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void parseClientHello(noise)),
      { numRuns: 2_000 },
    );
    const edit = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const mutated = Buffer.from(bytes);
        for (const { at, byte } of edits) mutated[at] = byte;
        parseClientHello(mutated);
      }),
      { numRuns: 5_000 },
    );
  });
});
