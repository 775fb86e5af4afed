import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import * as fc from "fast-check";
import { bitString, contextTag, der, oid, sequence, tags } from "./der.ts";
import { generateKeyPair, spkiDer } from "./keys.ts";
import { signDer } from "./signature.ts";
import { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName } from "./x509-extensions.ts";
import { selfSignX509 } from "./x509-issue.ts";
import { parseX509, verifyX509Signature } from "./x509-parse.ts";

const badParameter = { code: "bad_parameter" };

describe("the X.509 parser", () => {
  const keys = generateKeyPair("ecdsa-p256");
  const leaf = selfSignX509({
    privateKey: keys.privateKey,
    subject: { commonName: "robot", organization: "example.com" },
    notBefore: Date.parse("2026-01-01T00:00:00Z"),
    notAfter: Date.parse("2026-01-01T01:00:00Z"),
    extensions: [
      basicConstraints({ pathLength: 0 }),
      keyUsage("digitalSignature"),
      extendedKeyUsage("clientAuth"),
      subjectAltName({ dnsNames: ["a.test"], ipAddresses: ["10.0.0.1", "::1"], uris: ["a:b"] }),
    ],
  });
  const judge = (bytes: Uint8Array): string => {
    try {
      return verifyX509Signature(bytes, keys.publicKey) ? "accepted" : "wrong signature";
    } catch (error) {
      return codeOf(error);
    }
  };

  it("refuses a certificate cut at any byte, or followed by one", () => {
    assert.equal(judge(leaf), "accepted");
    for (let end = 0; end < leaf.length; end++)
      assert.equal(judge(leaf.subarray(0, end)), "bad_parameter");
    assert.equal(judge(Buffer.concat([leaf, Buffer.of(0)])), "bad_parameter");
  });

  it("never accepts a certificate changed at any byte, and never fails in another way", () => {
    for (let at = 0; at < leaf.length; at++)
      for (const flip of [1, 0x80, 0xff]) {
        const changed = Buffer.from(leaf);
        changed[at]! ^= flip;
        assert.ok(["bad_parameter", "wrong signature"].includes(judge(changed)), `byte ${at}`);
      }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(leaf.length), (bytes, at) => {
        const spliced = Buffer.concat([leaf.subarray(0, at), bytes, leaf.subarray(at)]);
        assert.equal(judge(spliced) === "accepted", bytes.length === 0);
      }),
    );
  });

  type Part =
    | "version"
    | "serial"
    | "algorithm"
    | "issuer"
    | "validity"
    | "subject"
    | "spki"
    | "extensions";
  const names = sequence(der(tags.set, sequence(oid("2.5.4.3"), der(tags.utf8String))));
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const time = der(tags.utcTime, Buffer.from("260101000000Z"));
  const parts: Readonly<Record<Part, Buffer>> = {
    version: der(contextTag(0, "constructed"), der(tags.integer, Buffer.of(2))),
    serial: der(tags.integer, Buffer.of(1)),
    algorithm,
    issuer: names,
    validity: sequence(time, time),
    subject: names,
    spki: spkiDer(keys.publicKey),
    extensions: Buffer.alloc(0),
  };
  const build = (over: Partial<Record<Part, Buffer>> = {}): Buffer =>
    sequence(
      sequence(...Object.values({ ...parts, ...over })),
      algorithm,
      der(tags.bitString, Buffer.of(0, 1)),
    );
  const list = (...extensions: Buffer[]): { extensions: Buffer } => ({
    extensions: der(contextTag(3, "constructed"), sequence(...extensions)),
  });
  const utc = (text: string): { validity: Buffer } => ({
    validity: sequence(der(tags.utcTime, Buffer.from(text)), time),
  });
  const raw = (id: string, value: Buffer): Buffer =>
    sequence(oid(id), der(tags.octetString, value));
  const usage = keyUsage("digitalSignature");

  it("reads a certificate built by hand", () => assert.equal(parseX509(build()).serial, "01"));

  it("sees that the signature's algorithm is not the key's", () => {
    const other = sequence(oid("1.3.101.112"));
    const body = sequence(...Object.values({ ...parts, algorithm: other }));
    const signature = bitString(signDer(keys.privateKey, body));
    assert.equal(judge(sequence(body, other, signature)), "wrong signature");
    const right = sequence(...Object.values(parts));
    const signed = sequence(right, algorithm, bitString(signDer(keys.privateKey, right)));
    assert.equal(judge(signed), "accepted");
  });

  const refused: Readonly<Record<string, Buffer>> = {
    "version 1": build({ version: Buffer.alloc(0) }),
    "version 4": build({
      version: der(contextTag(0, "constructed"), der(tags.integer, Buffer.of(3))),
    }),
    "a negative serial number": build({ serial: der(tags.integer, Buffer.of(0x80)) }),
    "a serial number of 21 bytes": build({ serial: der(tags.integer, Buffer.alloc(21, 1)) }),
    "another algorithm inside": build({ algorithm: sequence(oid("1.3.101.112")) }),
    "an extension twice": build(list(usage, usage)),
    "an extension with something after it": build(list(sequence(usage, usage))),
    "something after the extensions": build({
      extensions: Buffer.concat([list(usage).extensions, names]),
    }),
    "a month 13": build(utc("261301000000Z")),
    "a 30th of February": build(utc("260230000000Z")),
    "a time with an offset": build(utc("260101000000+0000")),
    "a time without seconds": build(utc("2601010000Z")),
    "a time that is no time": build({ validity: sequence(names, names) }),
    "an IP address of five bytes": build(
      list(raw("2.5.29.17", sequence(der(contextTag(7, "primitive"), Buffer.alloc(5))))),
    ),
    "a DNS name with a NUL": build(
      list(raw("2.5.29.17", sequence(der(contextTag(2, "primitive"), Buffer.from("a\0b"))))),
    ),
    "a key usage without bits": build(list(raw("2.5.29.15", der(tags.bitString, Buffer.of(0))))),
    "a purpose that is no identifier": build(list(raw("2.5.29.37", sequence(names)))),
    "a constraint that is no boolean": build(list(raw("2.5.29.19", sequence(names)))),
  };
  for (const [name, bytes] of Object.entries(refused))
    it(`refuses ${name}`, () => assert.throws(() => parseX509(bytes), badParameter));
});
