import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { codeOf } from "#base/kernel";
import { CompactSign, compactVerify } from "jose";
import { MAX_JWS_BYTES, signJws, verifyJws } from "./jws.ts";
import { generateKeyPair, spkiDer } from "./keys.ts";
import { signBytes } from "./signature.ts";
import { keySuites } from "./public-key.ts";

const unauthenticated = { code: "unauthenticated", message: "the signed document is not valid" };
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("JWS", () => {
  for (const suite of keySuites) {
    const { privateKey, publicKey } = generateKeyPair(suite);
    const alg = suite === "ed25519" ? "EdDSA" : "ES256";

    it(`${alg}: jose verifies what we sign, and we what jose signs`, async () => {
      const ours = signJws('{"a":1}', privateKey, { kid: "k1" });
      const theirs = await compactVerify(ours, publicKey);
      assert.deepEqual(theirs.protectedHeader, { alg, kid: "k1" });
      assert.equal(Buffer.from(theirs.payload).toString(), '{"a":1}');
      const jws = await new CompactSign(Buffer.from("payload"))
        .setProtectedHeader({ alg, typ: "x" })
        .sign(privateKey);
      const { payload, header } = verifyJws(jws, publicKey);
      assert.equal(payload.toString(), "payload");
      assert.deepEqual(header, { alg, typ: "x" });
    });

    it(`${alg}: a header cannot choose the algorithm when signing`, () => {
      const jws = signJws("x", privateKey, { alg: "none" });
      assert.equal(verifyJws(jws, publicKey).header["alg"], alg);
    });

    it(`${alg}: cut anywhere, or changed in any character, it is refused`, () => {
      const jws = signJws('{"sub":"robot"}', privateKey);
      for (let end = 0; end < jws.length; end++)
        assert.throws(() => verifyJws(jws.slice(0, end), publicKey), unauthenticated);
      const character = fc.constantFrom(...Array.from("AZaz09-_.=+/ \n\u0000é"));
      fc.assert(
        fc.property(fc.nat(jws.length - 1), character, (at, changed) => {
          const text = jws.slice(0, at) + changed + jws.slice(at + 1);
          if (text !== jws) assert.throws(() => verifyJws(text, publicKey), unauthenticated);
        }),
      );
    });
  }

  const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
  const other = generateKeyPair("ed25519");
  const good = signJws("payload", privateKey);
  const [head, body, tail] = good.split(".") as [string, string, string];
  const secret = spkiDer(publicKey);
  const hmac = createHmac("sha256", secret).update(`${encode({ alg: "HS256" })}.${body}`);
  const signedHeader = (header: object): string => {
    const input = `${encode(header)}.${body}`;
    return `${input}.${signBytes(privateKey, Buffer.from(input)).toString("base64url")}`;
  };
  const refused: Readonly<Record<string, string>> = {
    "another algorithm, with a true signature": signedHeader({ alg: "EdDSA" }),
    "a missing algorithm, with a true signature": signedHeader({}),
    "no algorithm": `${encode({ alg: "none" })}.${body}.`,
    "an HMAC made with the public key": `${encode({ alg: "HS256" })}.${body}.${hmac.digest("base64url")}`,
    "the algorithm of another key": signJws("payload", other.privateKey),
    "a critical extension": signJws("payload", privateKey, { crit: "b64" }),
    "an unencoded payload": signJws("payload", privateKey, { b64: "false" }),
    "a header that is a list": `${encode([])}.${body}.${tail}`,
    "a header that is no JSON": `${Buffer.from("{").toString("base64url")}.${body}.${tail}`,
    "a fourth part": `${good}.`,
    padding: `${head}.${body}=.${tail}`,
    "a signature of another length": `${head}.${body}.${tail.slice(0, -2)}`,
    "a signature in DER": `${head}.${body}.MEQCIA`,
    "more than the limit": `${head}.${"A".repeat(MAX_JWS_BYTES)}.${tail}`,
    nothing: "",
  };
  for (const [name, jws] of Object.entries(refused))
    it(`refuses ${name}`, () => assert.throws(() => verifyJws(jws, publicKey), unauthenticated));

  it("answers any text with the same refusal", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        try {
          verifyJws(text, publicKey);
          assert.fail("accepted");
        } catch (error) {
          assert.equal(codeOf(error), "unauthenticated");
        }
      }),
    );
  });
});
