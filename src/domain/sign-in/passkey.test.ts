// Passkeys (WebAuthn level 3, 7.1 and 7.2): what a good authenticator makes, and each thing that may
// be wrong with it, through the library as it is called.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Authenticator, type Tampering } from "#testing/authenticator";
import {
  authenticated,
  authenticationOptions,
  registered,
  registrationOptions,
  type RelyingParty,
  type StoredPasskey,
} from "./passkey.ts";

const party: RelyingParty = { clusterName: "example", origin: "https://tenon.example:3080" };
const now = Date.parse("2026-01-01T00:00:00Z");
const name = "laptop";

const asked = async () => {
  const handle = new Uint8Array(Buffer.from("a handle"));
  return await registrationOptions(party, { user: "alice", handle, known: [] });
};

async function made(authenticator: Authenticator): Promise<StoredPasskey> {
  const options = await asked();
  const response = authenticator.create(options);
  return await registered(party, { response, challenge: options.challenge, name, now });
}

const wrongs: readonly (readonly [what: string, tampering: Tampering])[] = [
  ["another origin", { origin: "https://evil.example" }],
  ["the origin on another port", { origin: "https://tenon.example" }],
  ["the origin without TLS", { origin: "http://tenon.example:3080" }],
  ["another relying party", { rpId: "example" }],
  ["another challenge", { challenge: Buffer.from("another").toString("base64url") }],
  ["a person who was not verified", { verified: false }],
  ["a person who was not present", { present: false }],
  ["an answer to something else", { type: "payment.get" }],
];

suite("a passkey that is made", () => {
  test("is stored with its public key, its counter and its name", async () => {
    const authenticator = new Authenticator(party.origin);
    const { public_key, ...passkey } = await made(authenticator);
    assert.deepEqual(passkey, {
      id: authenticator.id,
      counter: 0,
      transports: ["internal"],
      name,
      created: "2026-01-01T00:00:00.000Z",
    });
    assert.ok(Buffer.from(public_key, "base64url").length > 64);
  });

  test("is asked to know its person, and to be found without a name", async () => {
    const { authenticatorSelection, attestation, rp } = await asked();
    assert.equal(authenticatorSelection?.userVerification, "required");
    assert.equal(authenticatorSelection.residentKey, "required");
    assert.equal(attestation, "none");
    assert.equal(rp.id, "tenon.example");
  });

  for (const [what, tampering] of wrongs)
    test(`is refused with ${what}`, async () => {
      const options = await asked();
      const response = new Authenticator(party.origin).create(options, tampering);
      const about = { response, challenge: options.challenge, name, now };
      await assert.rejects(registered(party, about), { code: "unauthenticated" });
    });

  for (const response of [undefined, null, "text", {}, { id: "x", response: {} }])
    test(`is refused when it is ${JSON.stringify(response)}`, async () => {
      const about = { response, challenge: "x", name, now };
      await assert.rejects(registered(party, about), { code: "unauthenticated" });
    });
});

suite("a passkey that signs in", () => {
  const sign = async (
    authenticator: Authenticator,
    passkey: StoredPasskey,
    tampering: Tampering = {},
  ): Promise<StoredPasskey> => {
    const options = await authenticationOptions(party);
    assert.equal(options.userVerification, "required");
    const response = authenticator.get(options, tampering);
    return await authenticated(party, { response, challenge: options.challenge, passkey, now });
  };

  test("is known again, with its counter moved on and its use written down", async () => {
    const authenticator = new Authenticator(party.origin);
    const passkey = await made(authenticator);
    const once = await sign(authenticator, passkey);
    assert.deepEqual([once.counter, once.used], [1, "2026-01-01T00:00:00.000Z"]);
    assert.equal((await sign(authenticator, once)).counter, 2);
  });

  for (const [what, tampering] of [...wrongs, ["a forged signature", { forged: true }] as const])
    test(`is refused with ${what}`, async () => {
      const authenticator = new Authenticator(party.origin);
      const passkey = await made(authenticator);
      await assert.rejects(sign(authenticator, passkey, tampering), { code: "unauthenticated" });
    });

  test("is refused when its counter stands still or goes back: it may be a copy", async () => {
    const authenticator = new Authenticator(party.origin);
    const passkey = { ...(await made(authenticator)), counter: 7 };
    for (const counter of [7, 6, 0])
      await assert.rejects(sign(authenticator, passkey, { counter }), { code: "unauthenticated" });
    assert.equal((await sign(authenticator, passkey, { counter: 8 })).counter, 8);
  });

  test("of an authenticator that does not count stays at nought", async () => {
    const authenticator = new Authenticator(party.origin);
    const passkey = await made(authenticator);
    assert.equal((await sign(authenticator, passkey, { counter: 0 })).counter, 0);
  });

  test("is refused as the passkey of another authenticator", async () => {
    const [one, other] = [new Authenticator(party.origin), new Authenticator(party.origin)];
    const passkey = await made(one);
    await made(other);
    await assert.rejects(sign(other, passkey), { code: "unauthenticated" });
  });
});
