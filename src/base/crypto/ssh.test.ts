import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import * as fc from "fast-check";
import { generateKeyPair } from "./keys.ts";
import { keySuites } from "./public-key.ts";
import { issueSshCertificate, sshSigner, type SshCertificate } from "./ssh-certificate.ts";
import { parseSshCertificate, verifySshCertificate } from "./ssh-certificate-parse.ts";
import { publicKeyFromSshLine, sshFingerprint, sshPublicKeyLine } from "./ssh-key.ts";
import { mpint, SshReader, sshString, uint32, uint64 } from "./ssh-wire.ts";

const badParameter = { code: "bad_parameter" };
const hex = (bytes: Buffer): string => bytes.toString("hex");

describe("the SSH wire encoding", () => {
  it("writes numbers and strings as RFC 4251 section 5 shows them", () => {
    assert.equal(hex(uint32(699921578)), "29b7f4aa");
    assert.equal(hex(uint64(1n << 40n)), "0000010000000000");
    assert.equal(hex(sshString("testing")), "0000000774657374696e67");
    assert.equal(hex(sshString("é")), "00000002c3a9");
    assert.equal(hex(mpint(Buffer.from("00", "hex"))), "00000000");
    assert.equal(hex(mpint(Buffer.from("0009a378f9b2e332a7", "hex"))), "0000000809a378f9b2e332a7");
    assert.equal(hex(mpint(Buffer.from("80", "hex"))), "000000020080");
  });

  it("refuses what ends early, is left over, or is no text", () => {
    const reader = (...parts: Buffer[]): SshReader =>
      new SshReader(Buffer.concat(parts), "the document");
    assert.throws(() => reader(uint32(5), Buffer.alloc(4)).string(), badParameter);
    assert.throws(() => reader(Buffer.alloc(3)).uint32(), badParameter);
    assert.throws(() => reader(Buffer.alloc(7)).uint64(), badParameter);
    assert.throws(() => reader(uint32(0xffffffff)).string(), badParameter);
    assert.throws(() => reader(sshString(Buffer.of(0xff))).text(), badParameter);
    assert.throws(() => reader(sshString("a\0b")).text(), badParameter);
    assert.throws(() => reader(uint32(1)).end(), badParameter);
  });
});

describe("SSH public keys", () => {
  for (const suite of keySuites) {
    const { privateKey, publicKey } = generateKeyPair(suite);
    const line = sshPublicKeyLine(publicKey, "robot@host");

    it(`${suite}: come back from their line, with or without comment`, () => {
      assert.ok(publicKeyFromSshLine(line).equals(publicKey));
      assert.ok(publicKeyFromSshLine(`  ${sshPublicKeyLine(privateKey)}\n`).equals(publicKey));
      assert.equal(sshFingerprint(line), sshFingerprint(publicKey));
      assert.match(sshFingerprint(line), /^SHA256:[A-Za-z0-9+/]{43}$/);
    });

    it(`${suite}: a line cut anywhere in the key, or damaged, is refused`, () => {
      const bare = sshPublicKeyLine(publicKey);
      for (let end = 0; end < bare.length; end++)
        assert.throws(() => publicKeyFromSshLine(bare.slice(0, end)), badParameter);
    });
  }

  it("a comment cannot smuggle in another line", () => {
    const line = sshPublicKeyLine(generateKeyPair("ed25519").publicKey, "a\nssh-ed25519 AAAA");
    assert.ok(!line.includes("\n"));
  });

  const ed25519 = sshPublicKeyLine(generateKeyPair("ed25519").publicKey);
  const refused: Readonly<Record<string, string>> = {
    nothing: "",
    "no key": "ssh-ed25519",
    "another type": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==",
    "a type that the blob contradicts": ed25519.replace("ssh-ed25519", "ecdsa-sha2-nistp256"),
    "options before the type": `restrict ${ed25519}`,
    "two lines": `${ed25519}\n${ed25519}`,
    "loose base64": ed25519.replace(" AAAA", " AA AA"),
    "a longer key": `ssh-ed25519 ${Buffer.concat([sshString("ssh-ed25519"), sshString(Buffer.alloc(33))]).toString("base64")}`,
    "bytes after the key": `ssh-ed25519 ${Buffer.concat([sshString("ssh-ed25519"), sshString(Buffer.alloc(32)), uint32(0)]).toString("base64")}`,
    "an enormous line": `${ed25519} ${"x".repeat(100_000)}`,
  };
  for (const [name, line] of Object.entries(refused))
    it(`refuses ${name}`, () => assert.throws(() => publicKeyFromSshLine(line), badParameter));
});

describe("SSH certificates", () => {
  const ca = generateKeyPair("ed25519");
  const signer = sshSigner(ca.privateKey);
  const caLine = sshPublicKeyLine(ca.publicKey);
  const draft = (over: Partial<SshCertificate> = {}): SshCertificate => ({
    type: "user",
    publicKeyLine: sshPublicKeyLine(generateKeyPair("ed25519").publicKey),
    keyId: "bot-robot",
    serial: 0xffff_ffff_ffff_fffen,
    principals: ["root", "deploy"],
    validAfter: Date.parse("2026-01-01T00:00:00Z"),
    validBefore: Date.parse("2026-01-01T01:00:00Z"),
    criticalOptions: { "source-address": "10.0.0.0/8" },
    extensions: { "permit-pty": "", "roles@tenon.dev": '["access"]', "bot-name@tenon.dev": "é" },
    ...over,
  });

  for (const suite of keySuites)
    for (const type of ["user", "host"] as const)
      it(`of a ${type} with an ${suite} key comes back as written`, () => {
        const publicKeyLine = sshPublicKeyLine(generateKeyPair(suite).publicKey);
        const certificate = draft({ type, publicKeyLine });
        const line = issueSshCertificate({ ...certificate, signer });
        assert.deepEqual(parseSshCertificate(line), certificate);
        assert.deepEqual(verifySshCertificate(line, caLine), certificate);
      });

  it("may last forever", () => {
    const certificate = draft({ validAfter: 0, validBefore: Infinity });
    const line = issueSshCertificate({ ...certificate, signer });
    assert.deepEqual(parseSshCertificate(line), certificate);
  });

  it("is refused when another authority signed it", () => {
    const line = issueSshCertificate({ ...draft(), signer });
    const other = sshPublicKeyLine(generateKeyPair("ed25519").publicKey);
    const p256 = sshPublicKeyLine(generateKeyPair("ecdsa-p256").publicKey);
    assert.throws(() => verifySshCertificate(line, other), { code: "unauthenticated" });
    assert.throws(() => verifySshCertificate(line, p256), { code: "unauthenticated" });
    assert.throws(() => sshSigner(generateKeyPair("ecdsa-p256").privateKey), badParameter);
  });

  const bad: Readonly<Record<string, readonly string[]>> = {
    "no principal, which would mean all": [],
    "an empty principal": ["root", ""],
    "a principal with a line break": ["root\n"],
    "a principal with a comma": ["root,admin"],
  };
  for (const [name, principals] of Object.entries(bad))
    it(`is not issued for ${name}`, () =>
      assert.throws(() => issueSshCertificate({ ...draft({ principals }), signer }), badParameter));

  it("cut or changed at any byte, it is refused", () => {
    const line = issueSshCertificate({ ...draft(), signer });
    const [type = "", base64 = ""] = line.split(" ");
    const blob = Buffer.from(base64, "base64");
    const judge = (bytes: Buffer): string => {
      try {
        verifySshCertificate(`${type} ${bytes.toString("base64")}`, caLine);
        return "accepted";
      } catch (error) {
        return codeOf(error);
      }
    };
    assert.equal(judge(blob), "accepted");
    for (let end = 0; end < blob.length; end++)
      assert.equal(judge(blob.subarray(0, end)), "bad_parameter");
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(blob);
        changed[at]! ^= flip;
        assert.ok(["bad_parameter", "unauthenticated"].includes(judge(changed)));
      }),
    );
  });

  it("of another form is refused", () => {
    const line = issueSshCertificate({ ...draft(), signer });
    assert.throws(() => parseSshCertificate(draft().publicKeyLine), badParameter);
    assert.throws(() => parseSshCertificate(line.replace("ssh-ed25519", "ssh-rsa")), badParameter);
    assert.throws(() => parseSshCertificate(""), badParameter);
  });
});
