import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { CodedError } from "#base/kernel";
import type { JWK } from "jose";
import { Distrust, VerifiedIdToken } from "./id-token.ts";
import { KeySet } from "./key-set.ts";

/**
 * Vectors of C2SP/wycheproof, which lie beside the project (`../shared/vectors`) and not in it. Where
 * they are absent the suite is left out.
 */
const directory = new URL("../../../../../../shared/vectors/wycheproof/", import.meta.url);
const skip = existsSync(directory) ? false : "needs the Wycheproof vectors in ../shared/vectors";

type Keys = JWK | { readonly keys: readonly JWK[] };
interface Group {
  readonly comment: string;
  readonly public?: Keys;
  readonly private: Keys;
  readonly tests: readonly {
    readonly tcId: number;
    readonly comment: string;
    /** Absent from cases of encryption, which joining does not know. */
    readonly jws?: string;
    readonly result: "valid" | "invalid";
  }[];
}

const groups = (name: string): readonly Group[] =>
  (JSON.parse(readFileSync(new URL(`${name}.json`, directory), "utf8")) as { testGroups: Group[] })
    .testGroups;

/** Whether the signature was taken: only then is it noticed that the payload is no set of claims. */
async function isTaken({ public: given, private: secret }: Group, jws: string): Promise<boolean> {
  const document = given ?? secret;
  try {
    const keys = KeySet.read("keys" in document ? document : { keys: [document] });
    const expected = { issuer: "i", audience: "a", maxAgeMs: 1, keys, now: 0 };
    await VerifiedIdToken.verify({ text: jws, kid: undefined, issuer: "i" }, expected);
    throw new Error("no vector is an ID token");
  } catch (error) {
    if (error instanceof Distrust) return error.message.includes("ERR_JWT_INVALID");
    if (error instanceof CodedError) return false;
    throw error;
  }
}

/** Secrets that both sides share, which are right and yet not taken. */
const isShared = ({ public: given, private: secret }: Group): boolean =>
  given === undefined &&
  ("keys" in secret ? secret.keys : [secret]).every((key) => key.kty === "oct");

/**
 * Right signatures that are refused: the issuer publishes the key for another algorithm (PS256, where
 * PS384 signed), or for one that does not exist (ES521).
 */
const forOthers: readonly number[] = [346, 347, 350, 351];

const files = { json_web_signature_test: 401, json_web_crypto_test: 49, json_web_key_test: 26 };

describe("Wycheproof", { skip }, () => {
  for (const [name, count] of Object.entries(files))
    it(`${name}: no invalid signature is taken, and every valid one of an issuer's key`, async () => {
      let seen = 0;
      const missed: number[] = [];
      for (const group of groups(name)) {
        for (const { tcId, comment, jws, result } of group.tests) {
          if (jws === undefined) continue;
          seen++;
          const taken = await isTaken(group, jws);
          if (result === "invalid") assert.equal(taken, false, `case ${tcId}: ${comment}`);
          else if (!taken && !isShared(group)) missed.push(tcId);
        }
      }
      assert.equal(seen, count);
      assert.deepEqual(missed, name === "json_web_signature_test" ? forOthers : []);
    });
});
