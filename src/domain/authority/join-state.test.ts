import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateKeyPair, signJws } from "#base/crypto";
import { CodedError } from "#base/kernel";
import {
  decodeJoinState,
  encodeJoinState,
  recoveriesLeft,
  type JoinStateDraft,
} from "./join-state.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const about = { clusterName: "example.test", now: NOW };
const { privateKey, publicKey } = generateKeyPair("ed25519");
const signer = { privateKey, keyId: "k1" };
const other = generateKeyPair("ed25519");
const draft: JoinStateDraft = {
  aud: "robot",
  sub: "robot-token",
  first_instance_id: "6c1f5e0a-52d4-4c0b-8a35-0d3f8f6d7a11",
  bot_instance_id: "1d0a9e4e-7f83-4f0a-9c59-5d1f6c3a2b10",
  recovery_sequence: 10,
  recovery_count: 1,
  recovery_limit: 2,
  recovery_mode: "standard",
};
const all = { iss: "example.test", iat: NOW / 1000, nbf: NOW / 1000, ...draft };
const signed = (claims: unknown, typ = "join-state+jwt"): string =>
  signJws(JSON.stringify(claims), privateKey, { typ });

describe("a join state", () => {
  it("comes back with issuer and times, whichever trusted key signed it", () => {
    const jwt = encodeJoinState(draft, signer, about);
    assert.deepEqual(decodeJoinState(jwt, [publicKey], about), all);
    assert.deepEqual(decodeJoinState(jwt, [other.publicKey, publicKey], about), all);
  });

  const good = encodeJoinState(draft, signer, about);
  const cases: readonly [string, string, RegExp][] = [
    [
      "signed by a key that is not trusted",
      signJws(JSON.stringify(all), other.privateKey, { typ: "join-state+jwt" }),
      /no trusted key/,
    ],
    ["that is another kind of JWT", signed(all, "JWT"), /no trusted key/],
    ["of another cluster", signed({ ...all, iss: "other.test" }), /another cluster/],
    ["with a claim more", signed({ ...all, admin: true }), /claims/],
    ["with a claim missing", signed({ ...all, recovery_sequence: undefined }), /claims/],
    ["with a claim of another type", signed({ ...all, recovery_sequence: "10" }), /claims/],
    ["with a fraction for a sequence", signed({ ...all, recovery_sequence: 1.5 }), /claims/],
    ["with an unknown mode", signed({ ...all, recovery_mode: "lax" }), /claims/],
    ["that is no object", signed([all]), /claims/],
    ["that is cut", good.slice(0, -4), /no trusted key/],
    ["that is empty", "", /no trusted key/],
  ];
  for (const [name, jwt, detail] of cases)
    it(`is refused ${name}`, () => {
      assert.throws(
        () => decodeJoinState(jwt, [publicKey], about),
        (error: unknown) => {
          assert.ok(error instanceof CodedError);
          assert.equal(error.code, "unauthenticated");
          assert.equal(error.message, "the join state is not valid");
          assert.match(error.detail ?? "", detail);
          return true;
        },
      );
    });
});

describe("the recoveries that a join state leaves its machine", () => {
  const cases: readonly [string, string, number | undefined][] = [
    ["are the limit without those used", signed(all), 1],
    ["are never below zero", signed({ ...all, recovery_count: 5 }), 0],
    ["are read also from a state that says more", signed({ ...all, more: 1 }), 1],
    ["are not counted in another mode", signed({ ...all, recovery_mode: "relaxed" }), undefined],
    ["are not known of a method without join state", "", undefined],
    ["are not known from damage", "a.b.c", undefined],
  ];
  for (const [name, jwt, left] of cases) it(name, () => assert.equal(recoveriesLeft(jwt), left));
});
