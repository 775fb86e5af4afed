import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CodedError } from "#base/kernel";
import { signJwsWith } from "./key-store.ts";
import { generateKeyPair, privateKeyPem } from "./keys.ts";
import { verifyJws } from "./jws.ts";
import { boundKeySuites } from "./public-key.ts";
import { decodeStaticKey, encodeStaticKey, StaticKeyStore } from "./static-key-store.ts";

describe("the static key store", () => {
  for (const suite of boundKeySuites) {
    const { privateKey, publicKey } = generateKeyPair(suite);
    const texts: Readonly<Record<string, string>> = {
      "base64 of a PEM": encodeStaticKey(privateKey),
      "base64 in wrapped lines": encodeStaticKey(privateKey).replaceAll(/.{76}/g, "$&\n"),
      "a PEM": `\n${privateKeyPem(privateKey)}\n`,
    };
    for (const [name, text] of Object.entries(texts))
      it(`signs with the ${suite} key that ${name} holds`, async () => {
        const store = new StaticKeyStore(decodeStaticKey(text, "the variable"));
        const [key, ...rest] = await store.list();
        assert.deepEqual(rest, []);
        const jws = await signJwsWith(store, key!.keyId, "payload");
        assert.equal(verifyJws(jws, publicKey).payload.toString(), "payload");
        assert.ok((await store.public(key!.keyId)).equals(publicKey));
      });
  }

  it("makes and removes nothing, and says what to do instead", async () => {
    const store = new StaticKeyStore(generateKeyPair("ed25519").privateKey);
    assert.deepEqual(store.suites, []);
    const advice = { code: "bad_parameter", message: /cannot be rotated.*keypair create --static/ };
    await assert.rejects(store.create(), advice);
    await assert.rejects(store.remove(), advice);
    assert.equal((await store.list()).length, 1);
    await assert.rejects(store.sign("another", Buffer.from("x")), { code: "not_found" });
  });

  const good = encodeStaticKey(generateKeyPair("ed25519").privateKey);
  const refused: Readonly<Record<string, string>> = {
    nothing: "",
    "base64 of something else": Buffer.from("s3cret").toString("base64"),
    "a key cut short": good.slice(0, 80),
    "a public key": "ssh-ed25519 AAAA",
    "an enormous text": "A".repeat(100_000),
  };
  for (const [name, text] of Object.entries(refused))
    it(`refuses ${name}, names the place and quotes nothing`, () => {
      assert.throws(
        () => decodeStaticKey(text, '"key.b64"'),
        (error: unknown) => {
          assert.ok(error instanceof CodedError);
          assert.equal(error.code, "bad_parameter");
          assert.match(error.message, /^"key.b64" holds no static key/);
          assert.ok(text === "" || !error.message.includes(text));
          return true;
        },
      );
    });
});
