import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateKeyPair } from "./keys.ts";
import { keySuites } from "./public-key.ts";
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
    "a type within that the line contradicts": `ssh-ed25519 ${Buffer.concat([sshString("ssh-other"), sshString(Buffer.alloc(32))]).toString("base64")}`,
    "bytes after the key": `ssh-ed25519 ${Buffer.concat([sshString("ssh-ed25519"), sshString(Buffer.alloc(32)), uint32(0)]).toString("base64")}`,
    "an enormous line": `${ed25519} ${"x".repeat(100_000)}`,
  };
  for (const [name, line] of Object.entries(refused))
    it(`refuses ${name}`, () => assert.throws(() => publicKeyFromSshLine(line), badParameter));
});
