import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { CodedError } from "#base/kernel";
import { boundKeyFromLine } from "./bound-key.ts";
import { verifyJws } from "./jws.ts";
import { publicKeyFromSpki } from "./keys.ts";
import { verifyBytes, verifyDer } from "./signature.ts";
import { sshString } from "./ssh-wire.ts";

/**
 * Vectors of C2SP/wycheproof, which lie beside the project (`../shared/vectors`) and not in it. Where
 * they are absent the suite is left out.
 */
const directory = new URL("../../../../shared/vectors/wycheproof/", import.meta.url);
const skip = existsSync(directory) ? false : "needs the Wycheproof vectors in ../shared/vectors";

interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly result: "valid" | "invalid" | "acceptable";
}
interface SignatureCase extends Case {
  readonly msg: string;
  readonly sig: string;
  /** ML-DSA's context; JWS has none (RFC 9964 section 3). */
  readonly ctx?: string;
}
interface JwsCase extends Case {
  readonly jws: string;
}
interface Group<C> {
  readonly comment?: string;
  readonly publicKeyDer?: string;
  readonly publicKey?: string;
  readonly public?: JsonWebKey;
  readonly tests: readonly C[];
}

function groups<C>(name: string): readonly Group<C>[] {
  const text = readFileSync(new URL(`${name}.json`, directory), "utf8");
  return (JSON.parse(text) as { testGroups: Group<C>[] }).testGroups;
}

type Verify = (key: KeyObject, data: Uint8Array, signature: Uint8Array) => boolean;
const files: Readonly<Record<string, { readonly verify: Verify; readonly count: number }>> = {
  ed25519_test: { verify: verifyBytes, count: 151 },
  ecdsa_secp256r1_sha256_p1363_test: { verify: verifyBytes, count: 262 },
  ecdsa_secp256r1_sha256_test: { verify: verifyDer, count: 484 },
};

describe("Wycheproof", { skip }, () => {
  for (const [name, { verify, count }] of Object.entries(files))
    it(`${name}: every signature is judged as expected`, () => {
      let seen = 0;
      for (const group of groups<SignatureCase>(name)) {
        const key = publicKeyFromSpki(Buffer.from(group.publicKeyDer ?? "", "hex"));
        for (const { tcId, comment, msg, sig, result } of group.tests) {
          const valid = verify(key, Buffer.from(msg, "hex"), Buffer.from(sig, "hex"));
          assert.equal(valid, result === "valid", `case ${tcId}: ${comment}`);
          seen++;
        }
      }
      assert.equal(seen, count);
    });

  it("mldsa_65_verify_test: every signature without a context is judged as expected", () => {
    let seen = 0;
    for (const group of groups<SignatureCase>("mldsa_65_verify_test"))
      for (const { tcId, comment, msg, sig, result, ctx } of group.tests) {
        if (ctx !== undefined) continue;
        const valid = acceptsMlDsa(group.publicKey ?? "", msg, sig);
        assert.equal(valid, result === "valid", `case ${tcId}: ${comment}`);
        seen++;
      }
    assert.equal(seen, 202);
  });

  it("json_web_signature_test: every ES256 document is judged as expected", () => {
    let seen = 0;
    for (const group of groups<JwsCase>("json_web_signature_test")) {
      if (group.public?.crv !== "P-256" || group.public["alg"] !== "ES256") continue;
      const key = createPublicKey({ key: group.public, format: "jwk" });
      for (const { tcId, comment, jws, result } of group.tests) {
        assert.equal(accepts(jws, key), result === "valid", `case ${tcId}: ${comment}`);
        seen++;
      }
    }
    assert.equal(seen, 39);
  });
});

function accepts(jws: string, key: KeyObject): boolean {
  try {
    verifyJws(jws, key);
    return true;
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code === "unauthenticated");
    return false;
  }
}

function acceptsMlDsa(publicKey: string, msg: string, sig: string): boolean {
  const fields = [sshString("ssh-mldsa-65"), sshString(Buffer.from(publicKey, "hex"))];
  try {
    const key = boundKeyFromLine(`ssh-mldsa-65 ${Buffer.concat(fields).toString("base64")}`);
    return verifyBytes(key, Buffer.from(msg, "hex"), Buffer.from(sig, "hex"));
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code === "bad_parameter");
    return false;
  }
}
