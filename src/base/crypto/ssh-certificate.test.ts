import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import * as fc from "fast-check";
import { generateKeyPair } from "./keys.ts";
import { keySuites } from "./public-key.ts";
import { signBytes } from "./signature.ts";
import { issueSshCertificate, sshSigner, type SshCertificate } from "./ssh-certificate.ts";
import { parseSshCertificate, verifySshCertificate } from "./ssh-certificate-parse.ts";
import { sshPublicKeyLine } from "./ssh-key.ts";
import { sshString, uint32, uint64 } from "./ssh-wire.ts";

const badParameter = { code: "bad_parameter" };

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

  /** Written by hand, to sign what the writer never would. */
  function handmade(
    over: { extensions?: Buffer; signerBlob?: Buffer; more?: Buffer; kind?: number } = {},
  ): string {
    const type = "ssh-ed25519-cert-v01@openssh.com";
    const body = Buffer.concat([
      sshString(type),
      sshString(Buffer.alloc(32)), // the nonce
      sshString(Buffer.alloc(32, 1)), // the key
      uint64(1n),
      uint32(over.kind ?? 1),
      sshString("id"),
      sshString(sshString("root")),
      uint64(0n),
      uint64(1n),
      sshString(""),
      sshString(over.extensions ?? ""),
      sshString(""),
      sshString(over.signerBlob ?? signer.blob),
    ]);
    const signature = Buffer.concat([
      sshString("ssh-ed25519"),
      sshString(signBytes(ca.privateKey, body)),
    ]);
    const blob = Buffer.concat([body, sshString(signature), over.more ?? Buffer.alloc(0)]);
    return `${type} ${blob.toString("base64")}`;
  }
  const option = (name: string): Buffer => Buffer.concat([sshString(name), sshString("")]);

  it("written by hand in the same way is accepted", () => {
    const extensions = Buffer.concat([option("a"), option("b")]);
    const found = verifySshCertificate(handmade({ extensions }), caLine);
    assert.deepEqual(found.extensions, { a: "", b: "" });
  });

  const odd: Readonly<Record<string, string>> = {
    "options out of order": handmade({ extensions: Buffer.concat([option("b"), option("a")]) }),
    "an option twice": handmade({ extensions: Buffer.concat([option("a"), option("a")]) }),
    "an option without a name": handmade({ extensions: option("") }),
    "an option's value followed by more": handmade({
      extensions: Buffer.concat([
        sshString("a"),
        sshString(Buffer.concat([sshString("v"), uint32(0)])),
      ]),
    }),
    "bytes after the signature": handmade({ more: Buffer.of(0) }),
    "a third kind of holder": handmade({ kind: 3 }),
  };
  for (const [name, line] of Object.entries(odd))
    it(`with ${name} is refused`, () =>
      assert.throws(() => verifySshCertificate(line, caLine), badParameter));

  it("that names another signer than its own is refused", () => {
    const other = sshSigner(generateKeyPair("ed25519").privateKey);
    const line = handmade({ signerBlob: other.blob });
    assert.throws(() => verifySshCertificate(line, caLine), { code: "unauthenticated" });
  });

  it("of another form is refused", () => {
    const line = issueSshCertificate({ ...draft(), signer });
    assert.throws(() => parseSshCertificate(draft().publicKeyLine), badParameter);
    assert.throws(() => parseSshCertificate(line.replace("ssh-ed25519", "ssh-rsa")), badParameter);
    assert.throws(() => parseSshCertificate(""), badParameter);
  });
});
