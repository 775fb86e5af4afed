import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { before, suite, test } from "node:test";
import { CodedError } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { IdTokens, type TestClaims } from "#testing/id-tokens";
import * as fc from "fast-check";
import { base64url } from "jose";
import { Distrust, MAX_ID_TOKEN, readIdToken, VerifiedIdToken } from "./id-token.ts";
import { KeySet } from "./key-set.ts";

const ISSUER = "https://issuer.example";
const clock = new ManualClock();
const NOW = clock.now() / 1000;
const HOUR = 3600;
const claims = { sub: "robot", aud: "test.example" };

let tokens: IdTokens;
let keys: KeySet;
before(async () => {
  tokens = await IdTokens.open(ISSUER, clock);
  keys = KeySet.read(tokens.jwks);
});

async function verify(text: string, from: KeySet = keys): Promise<VerifiedIdToken> {
  return await VerifiedIdToken.verify(readIdToken(text), {
    issuer: ISSUER,
    audience: "test.example",
    maxAgeMs: HOUR * 1000,
    keys: from,
    now: clock.now(),
  });
}

/** The reason, or nothing where the token is taken. */
async function reasonAgainst(text: string, from?: KeySet): Promise<string | undefined> {
  try {
    await verify(text, from);
    return undefined;
  } catch (error) {
    if (error instanceof Distrust) return error.message;
    throw error;
  }
}

type Case = readonly [name: string, claims: TestClaims, why?: RegExp];
const times: readonly Case[] = [
  ["as it should be", claims],
  ["for another audience", { ...claims, aud: "other.example" }, /claim "aud" is "other\.example"/],
  ["for a part of the audience", { ...claims, aud: "test.exampl" }, /claim "aud"/],
  ["for a list of just us", { ...claims, aud: ["test.example"] }],
  ["for others too", { ...claims, aud: ["test.example", "other"] }, /for others too: \["other"\]/],
  ["for nobody", { ...claims, aud: [] }, /claim "aud"/],
  ["without an audience", { sub: "robot" }, /claim "aud" is missing/],
  ["of another issuer", { ...claims, iss: "https://issuer.example/" }, /claim "iss"/],
  ["without a subject", { aud: "test.example" }, /claim "sub" is missing/],
  ["with an empty subject", { ...claims, sub: "" }, /has no subject/],
  ["with a subject that is no text", { ...claims, sub: 7 }, /has no subject/],
  ["expired a minute ago", { ...claims, exp: NOW - 60 }, /expired at 2025-12-31T23:59:00/],
  ["expired, within the leeway", { ...claims, exp: NOW - 59 }],
  ["without an end", { ...claims, exp: undefined }, /claim "exp" is missing/],
  ["with an end that is no number", { ...claims, exp: "never" }, /"exp"/],
  ["not yet valid", { ...claims, nbf: NOW + 61 }, /from the future: nbf is at 2026/],
  ["not yet valid, within the leeway", { ...claims, nbf: NOW + 60 }],
  ["from the future", { ...claims, iat: NOW + 61 }, /from the future: iat is at 2026/],
  ["from the near future", { ...claims, iat: NOW + 60 }],
  ["without a time of issue", { ...claims, iat: undefined }, /claim "iat" is missing/],
  ["an hour old", { ...claims, iat: NOW - HOUR - 60 }],
  ["over an hour old", { ...claims, iat: NOW - HOUR - 61 }, /too old: it was issued at 2025/],
];

const hs256 = (secret: string | Buffer): string => {
  const header = base64url.encode(JSON.stringify({ alg: "HS256", kid: tokens.key.kid }));
  const payload = base64url.encode(
    JSON.stringify({ ...claims, iss: ISSUER, iat: NOW, exp: NOW + 60 }),
  );
  const mac = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}.${payload}.${mac}`;
};

/** A header of one's own before what the issuer signed. */
const reheaded = async (header: object): Promise<string> => {
  const [, payload, signature] = (await tokens.sign(claims)).split(".");
  return `${base64url.encode(JSON.stringify(header))}.${payload}.${signature}`;
};

const forgeries: readonly [name: string, make: () => Promise<string> | string, why: RegExp][] = [
  ["nothing", () => "", /not a compact JWS/],
  ["two parts", () => "a.b", /not a compact JWS/],
  ["four parts", () => "a.b.c.d", /not a compact JWS/],
  [
    "an empty signature",
    async () => (await tokens.sign(claims)).replace(/[^.]*$/, ""),
    /not a compact JWS/,
  ],
  ["white space", async () => `${await tokens.sign(claims)}\n`, /not a compact JWS/],
  ["a token that is too long", () => `a.${"b".repeat(MAX_ID_TOKEN)}.c`, /longer than 16384/],
  ["a header that is no JSON", () => "YQ.YQ.YQ", /header cannot be read/],
  ["a header that is no object", async () => await reheaded([1]), /header cannot be read/],
  ["alg none", async () => await reheaded({ alg: "none" }), /algorithm "none" is not one of RS256/],
  ["alg nOnE", async () => await reheaded({ alg: "nOnE" }), /algorithm "nOnE"/],
  ["no alg", async () => await reheaded({}), /algorithm nothing/],
  ["alg that is no text", async () => await reheaded({ alg: ["ES256"] }), /algorithm \["ES256"\]/],
  [
    "HMAC with the public key",
    () => hs256(JSON.stringify(tokens.jwks.keys[0])),
    /algorithm "HS256"/,
  ],
  [
    "HMAC with its coordinate",
    () => hs256(Buffer.from(tokens.jwks.keys[0]!.x!, "base64url")),
    /"HS256"/,
  ],
  [
    "another algorithm for the key",
    async () => await reheaded({ alg: "RS256", kid: tokens.key.kid }),
    /no key of this id and algorithm/,
  ],
  [
    "an unknown key id",
    async () => await tokens.sign(claims, { kid: "other" }),
    /no key of this id/,
  ],
  [
    "a key id that is no text",
    async () => await reheaded({ alg: "ES256", kid: 1 }),
    /key id 1 is not a text/,
  ],
  [
    "its own key in the header",
    async () => {
      const other = await IdTokens.open(ISSUER, clock);
      return await other.sign(claims, { jwk: other.jwks.keys[0], kid: tokens.key.kid });
    },
    /signature is not by the issuer/,
  ],
  [
    "the address of its own keys",
    async () => {
      const other = await IdTokens.open(ISSUER, clock);
      return await other.sign(claims, { jku: "https://evil.example/keys", kid: tokens.key.kid });
    },
    /signature is not by the issuer/,
  ],
  [
    "a critical header",
    async () => await reheaded({ alg: "ES256", crit: ["exp"], exp: 1 }),
    /critical headers/,
  ],
  [
    "an unencoded payload",
    async () => await reheaded({ alg: "ES256", crit: ["b64"], b64: false }),
    /critical headers are not understood: \["b64"\]/,
  ],
  ["an access token", async () => await tokens.sign(claims, { typ: "at+jwt" }), /type "at\+jwt"/],
  [
    "a logout token",
    async () => await tokens.sign(claims, { typ: "logout+jwt" }),
    /type "logout\+jwt"/,
  ],
  [
    "a payload that is no JSON",
    async () => (await tokens.sign(claims)).replace(/\.[^.]*\./, ".YQ."),
    /payload cannot be read/,
  ],
  [
    "a payload without issuer",
    async () => await tokens.sign({ ...claims, iss: undefined }),
    /has no issuer/,
  ],
  [
    "a changed payload",
    async () =>
      (await tokens.sign(claims)).replace(
        /\.[^.]*\./,
        `.${base64url.encode(JSON.stringify({ ...claims, iss: ISSUER, iat: NOW, exp: NOW + 60 }))}.`,
      ),
    /signature is not by/,
  ],
];

suite("ID tokens", () => {
  for (const [name, payload, why] of times) {
    test(`one ${name} is ${why ? "refused" : "taken"}`, async () => {
      const reason = await reasonAgainst(await tokens.sign(payload));
      if (why) assert.match(reason ?? "it was taken", why);
      else assert.equal(reason, undefined);
    });
  }

  for (const [name, make, why] of forgeries) {
    test(`${name} is refused`, async () => {
      assert.match((await reasonAgainst(await make())) ?? "it was taken", why);
    });
  }

  for (const alg of ["RS256", "PS384", "ES384", "ES512", "EdDSA"]) {
    test(`${alg} is taken`, async () => {
      const other = await IdTokens.open(ISSUER, clock, alg);
      const token = await other.sign(claims);
      assert.equal(await reasonAgainst(token, KeySet.read(other.jwks)), undefined);
    });
  }

  test("without a key id the only key that fits counts, and of two neither", async () => {
    const token = await tokens.sign(claims, { kid: undefined });
    assert.equal(await reasonAgainst(token), undefined);
    const other = await IdTokens.open(ISSUER, clock);
    const both = KeySet.read({ keys: [...tokens.jwks.keys, ...other.jwks.keys] });
    assert.match((await reasonAgainst(token, both))!, /several keys of the issuer fit/);
  });

  test("two keys of one id prove nothing", async () => {
    const other = await IdTokens.open(ISSUER, clock);
    const twin = { ...other.jwks.keys[0]!, kid: tokens.key.kid };
    const both = KeySet.read({ keys: [...tokens.jwks.keys, twin] });
    assert.match((await reasonAgainst(await tokens.sign(claims), both))!, /several keys/);
  });

  test("a digest names what was signed: another spelling of the signature is the same token", async () => {
    const token = await tokens.sign(claims);
    const last = token.at(-1)!;
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // The last of 86 signs holds two bits; the other four are nobody's.
    const spelled = token.slice(0, -1) + alphabet[(alphabet.indexOf(last) ^ 1) % 64];
    assert.notEqual(spelled, token);
    assert.equal((await verify(spelled)).digest, (await verify(token)).digest);
    assert.notEqual((await verify(await tokens.sign(claims))).digest, (await verify(token)).digest);
  });

  test("a token is remembered until nobody would take it", async () => {
    const token = await verify(await tokens.sign({ ...claims, exp: NOW + 600 }));
    assert.equal(token.usableUntil, (NOW + 660) * 1000);
    const long = await verify(await tokens.sign({ ...claims, exp: NOW + 10 * 365 * 24 * HOUR }));
    assert.equal(long.usableUntil, (NOW + 24 * HOUR + 61) * 1000);
  });
});

suite("key sets", () => {
  const good = (): object => tokens.jwks.keys[0]!;
  const rsa = { kty: "RSA", n: `x${"r".repeat(341)}`, e: "AQAB" };
  const none = /holds no sound public RSA, EC or Ed25519 key/;
  const refused: readonly [name: string, document: () => unknown, why: RegExp][] = [
    ["nothing", () => undefined, /must be \{"keys": \[…\]\}/],
    ["a list", () => [good()], /must be/],
    ["no keys", () => ({ keys: [] }), none],
    ["a hundred and one keys", () => ({ keys: Array(101).fill(good()) }), /at most 100/],
    ["a shared key", () => ({ keys: [{ kty: "oct", k: "c2VjcmV0", alg: "HS256" }] }), none],
    ["a key for encryption", () => ({ keys: [{ ...good(), use: "enc" }] }), none],
    ["a key that only signs", () => ({ keys: [{ ...good(), key_ops: ["sign"] }] }), none],
    ["a key of an unknown curve", () => ({ keys: [{ ...good(), crv: "secp256k1" }] }), none],
    ["a key for another algorithm", () => ({ keys: [{ ...good(), alg: "HS256" }] }), none],
    [
      "a point that is not on its curve",
      () => ({ keys: [{ ...good(), x: tokens.jwks.keys[0]!.y }] }),
      none,
    ],
    ["an exponent of one", () => ({ keys: [{ ...rsa, e: "AQ" }] }), none],
    ["an even exponent", () => ({ keys: [{ ...rsa, e: "BA" }] }), none],
    ["a modulus that would take long", () => ({ keys: [{ ...rsa, n: "x".repeat(1367) }] }), none],
    ["an exponent that would take long", () => ({ keys: [{ ...rsa, e: "x".repeat(12) }] }), none],
  ];
  for (const [name, document, why] of refused) {
    test(`${name} is no key set`, () => {
      assert.throws(
        () => KeySet.read(document()),
        (error) =>
          error instanceof CodedError && error.code === "bad_parameter" && why.test(error.message),
      );
    });
  }

  test("what cannot verify is left out, and what can is used", async () => {
    const set = KeySet.read({
      keys: [null, { kty: "oct", k: "AA" }, { ...rsa, kid: "rsa" }, { ...good(), d: "AAAA" }],
    });
    assert.equal(await reasonAgainst(await tokens.sign(claims), set), undefined);
    assert.equal(set.has("other"), false);
    assert.equal(set.has("rsa"), true);
    assert.equal(set.has(tokens.key.kid), true);
    assert.equal(set.has(undefined), true);
  });

  test("RSA keys of under 2048 bits verify nothing", async () => {
    const weak = await crypto.subtle.generateKey(
      {
        name: "RSASSA-PKCS1-v1_5",
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: "SHA-256",
      },
      true,
      ["sign", "verify"],
    );
    const jwk = { ...(await crypto.subtle.exportKey("jwk", weak.publicKey)), kid: "weak" };
    assert.throws(() => KeySet.read({ keys: [jwk] }), none);
  });
});

suite("fuzzing of ID tokens", () => {
  test("any text is refused with a reason, never otherwise", async () => {
    const part = fc.oneof(
      fc.json().map((json) => base64url.encode(json)),
      fc.base64String({ maxLength: 30 }),
      fc.string({ unit: "binary", maxLength: 30 }),
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (some) => {
        assert.notEqual(await reasonAgainst(some), undefined);
      }),
      { numRuns: 2000 },
    );
  });

  test("any header over what the issuer signed is refused", async () => {
    const value = fc.oneof(
      fc.constantFrom("ES256", "none", "HS256", "RS256", "JWT", ["b64"], true),
      fc.jsonValue(),
    );
    const header = fc.dictionary(
      fc.constantFrom("alg", "kid", "typ", "crit", "b64", "jwk", "jku", "zip", "enc", "cty"),
      value,
    );
    await fc.assert(
      fc.asyncProperty(header, async (some) => {
        assert.notEqual(await reasonAgainst(await reheaded(some)), undefined);
      }),
      { numRuns: 300 },
    );
  });

  test("one changed bit anywhere is refused, or is the same token", async () => {
    const token = await tokens.sign(claims);
    const { digest } = await verify(token);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.nat(6), async (at, bit) => {
        const changed = Buffer.from(token);
        changed[at]! ^= 1 << bit;
        try {
          assert.equal((await verify(changed.toString("latin1"))).digest, digest);
        } catch (error) {
          assert.ok(error instanceof Distrust, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("any document is a key set, or is refused with a code", () => {
    const key = fc.record(
      {
        kty: fc.constantFrom("RSA", "EC", "OKP", "oct", 1),
        crv: fc.constantFrom("P-256", "Ed25519", "x"),
        x: fc.string(),
        y: fc.string(),
        n: fc.string(),
        e: fc.string(),
        kid: fc.jsonValue(),
        alg: fc.constantFrom("ES256", "HS256"),
      },
      { requiredKeys: [] },
    );
    const document = fc.oneof(
      fc.jsonValue(),
      fc.record({ keys: fc.array(fc.oneof(key, fc.jsonValue())) }),
    );
    fc.assert(
      fc.property(document, (some) => {
        try {
          KeySet.read(some);
        } catch (error) {
          assert.ok(error instanceof CodedError, String(error));
        }
      }),
    );
  });
});
