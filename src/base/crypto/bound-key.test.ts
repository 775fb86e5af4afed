import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boundKeyFingerprint, boundKeyFromLine, boundKeyLine } from "./bound-key.ts";
import { boundKeyFromPem, generateKeyPair, privateKeyFromPem, privateKeyPem } from "./keys.ts";
import { signJws, verifyJws } from "./jws.ts";
import { boundKeySuites, publicKeyBytes } from "./public-key.ts";
import { publicKeyBytesFromSshLine } from "./ssh-key.ts";
import { sshString } from "./ssh-wire.ts";

const badParameter = { code: "bad_parameter" };

describe("bound keys", () => {
  for (const suite of boundKeySuites) {
    const { privateKey, publicKey } = generateKeyPair(suite);

    it(`${suite}: come back from their line, with or without comment`, () => {
      const line = boundKeyLine(privateKey, "robot@host");
      assert.match(line, / robot@host$/);
      assert.ok(boundKeyFromLine(`  ${line}\n`).equals(publicKey));
      assert.equal(boundKeyFingerprint(line), boundKeyFingerprint(publicKey));
      assert.match(boundKeyFingerprint(line), /^SHA256:[A-Za-z0-9+/]{43}$/);
    });

    it(`${suite}: come back from PEM`, () => {
      assert.ok(boundKeyFromPem(privateKeyPem(privateKey)).equals(privateKey));
    });

    it(`${suite}: sign what only they verify`, () => {
      const jws = signJws("payload", privateKey);
      assert.equal(verifyJws(jws, publicKey).payload.toString(), "payload");
      for (const other of boundKeySuites)
        assert.throws(() => verifyJws(jws, generateKeyPair(other).publicKey), {
          code: "unauthenticated",
        });
    });
  }

  const { privateKey, publicKey } = generateKeyPair("ml-dsa-65");
  const line = boundKeyLine(publicKey);

  it("a key of ML-DSA is for binding only: no certificate takes one", () => {
    assert.throws(() => publicKeyBytes(publicKey.export({ type: "spki", format: "der" })));
    assert.throws(() => publicKeyBytesFromSshLine(line), badParameter);
    assert.throws(() => privateKeyFromPem(privateKeyPem(privateKey)), badParameter);
  });

  it("a line of ML-DSA that is cut anywhere is refused", () => {
    for (let end = 0; end < line.length; end += 7)
      assert.throws(() => boundKeyFingerprint(line.slice(0, end)), badParameter);
  });

  const blob = (...fields: (string | Buffer)[]): string =>
    `ssh-mldsa-65 ${Buffer.concat(fields.map((field) => sshString(field))).toString("base64")}`;
  const refused: Readonly<Record<string, string>> = {
    "a shorter key": blob("ssh-mldsa-65", Buffer.alloc(1951)),
    "a longer key": blob("ssh-mldsa-65", Buffer.alloc(1953)),
    "a type within that the line contradicts": blob("ssh-mldsa-87", Buffer.alloc(1952)),
    "bytes after the key": blob("ssh-mldsa-65", Buffer.alloc(1952), ""),
    "another set of parameters": line.replace("ssh-mldsa-65", "ssh-mldsa-87"),
  };
  for (const [name, text] of Object.entries(refused))
    it(`refuses ${name}`, () => {
      assert.throws(() => boundKeyFromLine(text), badParameter);
      assert.throws(() => boundKeyFingerprint(text), badParameter);
    });
});
