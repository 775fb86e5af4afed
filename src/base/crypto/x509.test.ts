import "reflect-metadata";
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import * as peculiar from "@peculiar/x509";
import { generateKeyPair, spkiDer } from "./keys.ts";
import { derFromPem, x509Pem } from "./pem.ts";
import { keySuites } from "./public-key.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  keyUsage,
  privateExtension,
  subjectAltName,
} from "./x509-extensions.ts";
import { issueX509, selfSignX509, x509Issuer, type X509Draft } from "./x509-issue.ts";
import { parseX509, spkiPin, verifyX509Signature } from "./x509-parse.ts";

const badParameter = { code: "bad_parameter" };
const NOT_BEFORE = Date.parse("2026-01-01T00:00:00Z");
const NOT_AFTER = Date.parse("2026-01-01T01:00:00Z");
const PRIVATE_OID = "1.3.6.1.4.1.99999.1";

const ca = generateKeyPair("ecdsa-p256");
const caDer = selfSignX509({
  privateKey: ca.privateKey,
  subject: { commonName: "test authority", organization: "example.com" },
  notBefore: NOT_BEFORE,
  notAfter: NOT_AFTER,
  extensions: [basicConstraints({ pathLength: 0 }), keyUsage("keyCertSign", "crlSign")],
});
const issuer = x509Issuer(caDer, ca.privateKey);
const subjectKeys = generateKeyPair("ecdsa-p256");

const issue = (over: Partial<X509Draft> = {}): Buffer =>
  issueX509({
    issuer,
    subject: { commonName: "robot", organization: "Robots, Inc. é" },
    publicKeySpki: spkiDer(subjectKeys.publicKey),
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    extensions: [
      basicConstraints("end-entity"),
      keyUsage("digitalSignature"),
      extendedKeyUsage("serverAuth", "clientAuth"),
      subjectAltName({
        dnsNames: ["a.example.com", "*.example.com"],
        ipAddresses: ["10.0.0.1", "fe80::1", "::ffff:1.2.3.4"],
        uris: ["spiffe://example.com/robot"],
      }),
      privateExtension(PRIVATE_OID)(Buffer.from("{}")),
    ],
    ...over,
  });

describe("X.509 certificates", () => {
  it("come back as written", () => {
    const certificate = parseX509(issue({ serial: Buffer.from("7f01", "hex") }));
    const { subject, issuer, serial, notBefore, notAfter, isCa } = certificate;
    assert.deepEqual(
      { subject, issuer, serial, notBefore, notAfter, isCa },
      {
        subject: { commonName: "robot", organization: "Robots, Inc. é" },
        issuer: { commonName: "test authority", organization: "example.com" },
        serial: "7f01",
        notBefore: NOT_BEFORE,
        notAfter: NOT_AFTER,
        isCa: false,
      },
    );
    assert.deepEqual(certificate.dnsNames, ["a.example.com", "*.example.com"]);
    assert.deepEqual(certificate.ipAddresses, ["10.0.0.1", "fe80::1", "::ffff:102:304"]);
    assert.deepEqual(certificate.uris, ["spiffe://example.com/robot"]);
    assert.deepEqual(certificate.keyUsages, ["digitalSignature"]);
    assert.deepEqual(certificate.extendedKeyUsages, Object.values(extendedKeyUsages));
    assert.deepEqual(certificate.extension(PRIVATE_OID), Buffer.from("{}"));
    assert.equal(certificate.extension("1.2.3"), undefined);
    assert.deepEqual(certificate.spki, spkiDer(subjectKeys.publicKey));
  });

  it("point from the key identifier of the subject to that of the authority", () => {
    const authority = parseX509(caDer);
    assert.ok(authority.isCa);
    assert.deepEqual(authority.keyUsages, ["keyCertSign", "crlSign"]);
    assert.equal(authority.subjectKeyId?.length, 20);
    assert.deepEqual(parseX509(issue()).authorityKeyId, authority.subjectKeyId);
  });

  for (const suite of keySuites)
    it(`of ${suite} keys, signed by either suite, verify with the right key only`, () => {
      const keys = generateKeyPair(suite);
      const selfSigned = selfSignX509({
        privateKey: keys.privateKey,
        subject: { commonName: "self" },
        notBefore: NOT_BEFORE,
        notAfter: NOT_AFTER,
        extensions: [],
      });
      assert.ok(verifyX509Signature(selfSigned, keys.publicKey));
      assert.ok(!verifyX509Signature(selfSigned, ca.publicKey));
      assert.ok(!verifyX509Signature(selfSigned, generateKeyPair(suite).publicKey));
      const leaf = issue({ publicKeySpki: spkiDer(keys.publicKey) });
      assert.ok(verifyX509Signature(parseX509(leaf), ca.publicKey));
    });

  it("have positive random serial numbers of 16 bytes", () => {
    const serials = Array.from({ length: 200 }, () => parseX509(issue()).serial);
    assert.ok(serials.every((serial) => /^[4-7][0-9a-f]{31}$/.test(serial)));
    assert.equal(new Set(serials).size, serials.length);
  });

  it("give a pin of the key, the same from a certificate and from its key", () => {
    assert.match(spkiPin(caDer), /^sha256:[0-9a-f]{64}$/);
    assert.equal(spkiPin(caDer), spkiPin(ca.publicKey));
  });

  it("keep two long names apart when they shorten them to 64 characters", () => {
    const names = ["a", "b"].map((end) => {
      const long = "é".repeat(100) + end;
      return parseX509(issue({ subject: { commonName: long } })).subject.commonName ?? "";
    });
    assert.ok(names.every((name) => Array.from(name).length === 64 && name.startsWith("ééé")));
    assert.notEqual(names[0], names[1]);
  });

  it("change from two-digit to four-digit years with 2050 (RFC 5280 section 4.1.2.5)", () => {
    const times = [
      "1949-12-31T23:59:59Z",
      "1950-01-01T00:00:00Z",
      "2049-12-31T23:59:59Z",
      "2050-01-01T00:00:00Z",
      "9999-12-31T23:59:59Z",
    ];
    for (const time of times) {
      const leaf = issue({ notBefore: Date.parse(time), notAfter: Date.parse(time) + 999 });
      const { notBefore, notAfter } = parseX509(leaf);
      assert.deepEqual([notBefore, notAfter], [Date.parse(time), Date.parse(time)]);
      const text = time.replaceAll(/[-:T]/g, "");
      const short = time >= "1950" && time < "2050";
      assert.ok(
        leaf.includes(
          Buffer.from(short ? `\x17\x0d${text.slice(2)}` : `\x18\x0f${text}`, "latin1"),
        ),
      );
      assert.equal(Date.parse(new X509Certificate(leaf).validFrom), Date.parse(time));
    }
  });

  it("survive PEM, in a bundle with text around", () => {
    const leaf = issue();
    assert.deepEqual(derFromPem(`hello\n${x509Pem(leaf)}# more\n${x509Pem(caDer)}`), [leaf, caDer]);
    assert.throws(() => derFromPem("nothing"), badParameter);
  });

  const bad: Readonly<Record<string, () => unknown>> = {
    "a DNS name with a space": () => subjectAltName({ dnsNames: ["a b"] }),
    "a DNS name that is too long": () => subjectAltName({ dnsNames: [`${"a.".repeat(127)}b`] }),
    "a DNS name with an embedded NUL": () => subjectAltName({ dnsNames: ["a.com\0.b.com"] }),
    "a URI without a scheme": () => subjectAltName({ uris: ["//example.com"] }),
    "an IP address out of range": () => subjectAltName({ ipAddresses: ["10.0.0.256"] }),
    "an IPv6 address with a zone": () => subjectAltName({ ipAddresses: ["fe80::1%eth0"] }),
    "a key that is none": () => issue({ publicKeySpki: Buffer.from("key") }),
  };
  for (const [name, make] of Object.entries(bad))
    it(`are not issued for ${name}`, () => assert.throws(make, badParameter));
});

describe("others read our X.509", () => {
  it("node:crypto agrees on every field", () => {
    const read = new X509Certificate(issue());
    assert.equal(read.subject, "O=Robots\\, Inc. é\nCN=robot");
    assert.equal(read.issuer, "O=example.com\nCN=test authority");
    assert.equal(Date.parse(read.validTo), NOT_AFTER);
    assert.equal(read.serialNumber.toLowerCase(), parseX509(read.raw).serial);
    assert.ok(read.subjectAltName?.includes("IP Address:FE80:0:0:0:0:0:0:1"));
    assert.ok(read.verify(ca.publicKey) && read.checkIssued(new X509Certificate(caDer)));
    assert.ok(!read.ca && new X509Certificate(caDer).ca);
  });

  it("a general X.509 library agrees, and verifies", async () => {
    const read = new peculiar.X509Certificate(issue());
    assert.equal(read.subjectName.getField("CN")[0], "robot");
    assert.equal(read.notBefore.getTime(), NOT_BEFORE);
    const names = read.getExtension(peculiar.SubjectAlternativeNameExtension)?.names.toJSON();
    assert.deepEqual(
      names?.map(({ type, value }) => `${type}:${value}`),
      [
        "dns:a.example.com",
        "dns:*.example.com",
        "url:spiffe://example.com/robot",
        "ip:10.0.0.1",
        "ip:fe80::1",
        "ip:::ffff:102:304",
      ],
    );
    assert.equal(read.getExtension(peculiar.BasicConstraintsExtension)?.ca, false);
    const publicKey = new peculiar.X509Certificate(caDer).publicKey;
    assert.ok(await read.verify({ publicKey, signatureOnly: true }));
  });
});
