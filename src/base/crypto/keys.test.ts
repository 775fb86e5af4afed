import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import * as fc from "fast-check";
import {
  generateKeyPair,
  jwkThumbprint,
  privateKeyFromPem,
  privateKeyPem,
  publicKeyFromSpki,
  publicKeyOf,
  spkiDer,
  suiteOf,
} from "./keys.ts";
import { checked, keySuites, publicKeyBytes, spkiOf } from "./public-key.ts";
import { constantTimeEqual, randomToken, sha256Hex } from "./random.ts";
import { signBytes, signDer, verifyBytes, verifyDer } from "./signature.ts";

const badParameter = { code: "bad_parameter" };
const spkiOfType = (pair: ReturnType<typeof generateKeyPair>): Buffer => spkiDer(pair.publicKey);

describe("keys", () => {
  for (const suite of keySuites) {
    const { privateKey, publicKey } = generateKeyPair(suite);
    const data = Buffer.from("data");

    it(`${suite}: come back from SPKI and PEM`, () => {
      const spki = spkiDer(privateKey);
      assert.ok(publicKeyFromSpki(spki).equals(publicKey));
      assert.deepEqual(spkiOf(publicKeyBytes(spki)), spki);
      const loaded = privateKeyFromPem(privateKeyPem(privateKey));
      assert.ok(publicKeyOf(loaded).equals(publicKey));
      assert.equal(suiteOf(loaded), suite);
    });

    it(`${suite}: sign and verify in both spellings, and refuse other data, keys and lengths`, () => {
      const raw = signBytes(privateKey, data);
      assert.equal(raw.length, 64);
      assert.ok(verifyBytes(publicKey, data, raw));
      assert.ok(verifyDer(publicKey, data, signDer(privateKey, data)));
      assert.ok(!verifyBytes(publicKey, Buffer.from("date"), raw));
      assert.ok(!verifyBytes(generateKeyPair(suite).publicKey, data, raw));
      assert.ok(!verifyBytes(publicKey, data, raw.subarray(0, 63)));
      assert.ok(!verifyBytes(publicKey, data, Buffer.concat([raw, Buffer.of(0)])));
    });

    it(`${suite}: an SPKI cut or extended anywhere is refused`, () => {
      const spki = spkiDer(publicKey);
      for (let end = 0; end < spki.length; end++)
        assert.throws(() => publicKeyFromSpki(spki.subarray(0, end)), badParameter);
      assert.throws(() => publicKeyFromSpki(Buffer.concat([spki, Buffer.of(0)])), badParameter);
    });
  }

  it("signatures of P-256 keep 64 bytes when a number is short", () => {
    const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
    for (let round = 0; round < 600; round++) {
      const data = Buffer.from(String(round));
      assert.ok(verifyBytes(publicKey, data, signBytes(privateKey, data)));
    }
  });

  it("signatures of P-256 are refused with a zero more before a number", () => {
    const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
    const raw = signBytes(privateKey, Buffer.from("data"));
    for (const at of [0, 32]) {
      const longer = Buffer.concat([raw.subarray(0, at), Buffer.of(0), raw.subarray(at)]);
      assert.ok(!verifyBytes(publicKey, Buffer.from("data"), longer));
    }
  });

  it("a P-256 coordinate has one spelling: the one below the field's prime", () => {
    // The point with x = 0, and the same with x = p. Its y is the square root of the curve's b.
    const y = "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4";
    const p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    const raw = (x: string): Buffer => Buffer.from(`04${x}${y}`, "hex");
    assert.ok(checked({ suite: "ecdsa-p256", raw: raw("00".repeat(32)) }));
    assert.throws(() => checked({ suite: "ecdsa-p256", raw: raw(p) }), badParameter);
  });

  const { publicKey: rsa } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const { publicKey: p384 } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const { publicKey: x25519 } = generateKeyPairSync("x25519");
  for (const [name, key] of Object.entries({ rsa, p384, x25519 }))
    it(`a key of another type is refused: ${name}`, () => {
      assert.throws(() => publicKeyFromSpki(spkiDer(key)), badParameter);
      assert.throws(() => suiteOf(key), badParameter);
    });

  it("a P-256 key off the curve, at infinity or compressed is refused", () => {
    const spki = spkiOfType(generateKeyPair("ecdsa-p256"));
    for (const at of [27, 58, 59, 90]) {
      const moved = Buffer.from(spki);
      moved[at]! ^= 1;
      assert.throws(() => publicKeyBytes(moved), badParameter);
    }
    const compressed = Buffer.from(spki);
    compressed[26] = 2;
    assert.throws(() => publicKeyBytes(compressed), badParameter);
    assert.throws(() => publicKeyBytes(Buffer.concat([spki.subarray(0, 26), Buffer.alloc(65, 0)])));
    const beyond = Buffer.concat([spki.subarray(0, 27), Buffer.alloc(64, 0xff)]);
    assert.throws(() => publicKeyBytes(beyond), badParameter);
  });

  it("our check of the curve agrees with OpenSSL's, for keys and for changed keys", () => {
    const key = fc.noShrink(fc.constant(0).map(() => spkiOfType(generateKeyPair("ecdsa-p256"))));
    fc.assert(
      fc.property(
        key,
        fc.boolean(),
        fc.integer({ min: 1, max: 64 }),
        fc.nat(255),
        (spki, change, at, value) => {
          if (change) spki[26 + at] = value;
          const openssl = importsInOpenSsl(spki);
          assert.equal(
            accepts(() => publicKeyBytes(spki)),
            openssl,
          );
          if (!change) assert.ok(openssl);
        },
      ),
    );
  });

  it("refuses PEM that is no supported private key, without quoting it", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const texts = [
      "",
      "secret-thing",
      privateKeyPem(privateKey),
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ];
    for (const text of texts)
      assert.throws(
        () => privateKeyFromPem(text),
        (error: Error) => codeOf(error) === "bad_parameter" && !error.message.includes("secret-"),
      );
  });

  it("thumbprints are those of RFC 8037 appendix A.3", () => {
    const raw = Buffer.from("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "base64url");
    const thumbprint = jwkThumbprint({ suite: "ed25519", raw });
    assert.equal(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  });
});

function importsInOpenSsl(spki: Buffer): boolean {
  try {
    createPublicKey({ key: spki, format: "der", type: "spki" });
    return true;
  } catch {
    return false;
  }
}

const accepts = (read: () => unknown): boolean => {
  try {
    read();
    return true;
  } catch (error) {
    assert.equal(codeOf(error), "bad_parameter");
    return false;
  }
};

describe("secrets", () => {
  it("compare equal only when they are, whatever their lengths", () => {
    assert.ok(constantTimeEqual("secret", "secret"));
    assert.ok(!constantTimeEqual("secret", "Secret"));
    assert.ok(!constantTimeEqual("secret", "secret2"));
    assert.ok(!constantTimeEqual("", "secret"));
  });

  it("tokens are hex of the asked length and never the same", () => {
    assert.match(randomToken(), /^[0-9a-f]{32}$/);
    assert.match(randomToken(32), /^[0-9a-f]{64}$/);
    assert.notEqual(randomToken(), randomToken());
    assert.equal(sha256Hex("abc").slice(0, 8), "ba7816bf");
  });
});
