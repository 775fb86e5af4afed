import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  basicConstraints,
  extendedKeyUsage,
  generateKeyPair,
  issueX509,
  keyUsage,
  privateExtension,
  selfSignX509,
  spkiDer,
  subjectAltName,
  x509Issuer,
} from "#base/crypto";
import { CodedError } from "#base/kernel";
import * as fc from "fast-check";
import { identityOids } from "./identity.ts";
import type { Trust } from "./trust.ts";
import { ClientVerifier, verifyClientCertificate } from "./verify.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const HOUR_MS = 3_600_000;
const KEY = spkiDer(generateKeyPair("ecdsa-p256").publicKey);

/** Authorities by hand, so that they can sign what ours never would. */
function authority(name: string, over: { notBefore?: number; notAfter?: number } = {}) {
  const { privateKey } = generateKeyPair("ecdsa-p256");
  const der = selfSignX509({
    privateKey,
    subject: { commonName: name },
    notBefore: NOW - HOUR_MS,
    notAfter: NOW + 10 * HOUR_MS,
    extensions: [basicConstraints({ pathLength: 0 }), keyUsage("keyCertSign")],
    ...over,
  });
  return { der, issuer: x509Issuer(der, privateKey) };
}

const users = authority("users");
const hosts = authority("hosts");
const oldUsers = authority("users");
const foreign = authority("users");
const endedUsers = authority("ended", { notAfter: NOW - 1000 });
const trust: Trust = {
  clusterName: "example.test",
  userX509: [users.der, oldUsers.der, endedUsers.der],
  hostX509: [hosts.der],
  userSsh: [],
  hostSsh: [],
  databaseX509: [],
};

const claims = {
  user: "alice",
  roles: ["access"],
  traits: {},
  logins: ["root"],
  allowReissue: false,
};
const hostClaims = { hostId: "host-1", roles: ["App"] };
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const userIdentity = (value: unknown = claims): Buffer =>
  privateExtension(identityOids.user)(json(value));
const hostIdentity = (value: unknown = hostClaims): Buffer =>
  privateExtension(identityOids.host)(json(value));

const entity = basicConstraints("end-entity");
const signing = keyUsage("digitalSignature");
const clientOnly = extendedKeyUsage("clientAuth");
const bothWays = extendedKeyUsage("serverAuth", "clientAuth");
const names = subjectAltName({ dnsNames: ["host-1.example.test"] });

interface Draft {
  readonly from?: typeof users;
  readonly extensions?: readonly Buffer[];
  readonly notBefore?: number;
  readonly notAfter?: number;
}
const make = ({ from = users, ...over }: Draft = {}): Buffer =>
  issueX509({
    issuer: from.issuer,
    subject: { commonName: "alice" },
    publicKeySpki: KEY,
    notBefore: NOW - 60_000,
    notAfter: NOW + HOUR_MS,
    extensions: [entity, signing, clientOnly, userIdentity()],
    ...over,
  });

const refusal = (run: () => unknown, detail: RegExp): void => {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, "unauthenticated");
    assert.equal(error.message, "the certificate is not accepted; get a new one from this cluster");
    assert.match(error.detail ?? "", detail);
    return true;
  });
};

describe("a client certificate is accepted", () => {
  it("of a user, with the identity and the end that it states", () => {
    const found = verifyClientCertificate(make(), trust, NOW);
    assert.equal(found.kind, "user");
    assert.deepEqual(found.identity, { ...claims, expires: NOW + HOUR_MS });
    assert.deepEqual(found.der.length > 0, true);
  });

  it("of a host, with or without names", () => {
    for (const more of [[], [names]]) {
      const extensions = [entity, signing, bothWays, hostIdentity(), ...more];
      const found = verifyClientCertificate(make({ from: hosts, extensions }), trust, NOW);
      assert.equal(found.kind, "host");
      assert.deepEqual(found.identity, { ...hostClaims, expires: NOW + HOUR_MS });
    }
  });

  it("from any trusted authority of its type, also of the same name", () => {
    const verifier = new ClientVerifier(trust);
    for (const from of [users, oldUsers])
      assert.equal(verifier.verify(make({ from }), NOW).kind, "user");
  });

  it("from its first to its last second", () => {
    for (const now of [NOW - 60_000, NOW + HOUR_MS]) verifyClientCertificate(make(), trust, now);
  });
});

describe("a certificate that this process signed", () => {
  const der = make();
  const verifier = (trusted = trust): ClientVerifier =>
    new ClientVerifier(trusted, (bytes) => der.equals(bytes));

  it("is known by its bytes, whatever its signature", () => {
    const forged = Buffer.from(der);
    forged[forged.length - 1]! ^= 1;
    const knowing = new ClientVerifier(trust, (bytes) => forged.equals(bytes));
    assert.equal(knowing.verify(forged, NOW).kind, "user");
    refusal(() => verifier().verify(forged, NOW), /no trusted authority signed it/);
  });

  it("is refused where its authority is not trusted any more, and at its end", () => {
    const others = { ...trust, userX509: trust.hostX509 };
    refusal(() => verifier(others).verify(der, NOW), /no trusted authority signed it/);
    refusal(() => verifier().verify(der, NOW + HOUR_MS + 1), /expired/);
    assert.equal(verifier().verify(der, NOW).kind, "user");
  });
});

describe("a client certificate is refused", () => {
  const bad = (extensions: readonly Buffer[], from = users): Buffer => make({ extensions, from });
  const cases: readonly [string, Buffer, RegExp][] = [
    ["of an authority that we do not trust", make({ from: foreign }), /no trusted authority/],
    [
      "that names another issuer",
      make({ from: { ...users, issuer: { ...users.issuer, nameDer: hosts.issuer.nameDer } } }),
      /no trusted authority/,
    ],
    ["after its end", make({ notAfter: NOW - 1000 }), /"alice" expired at 2025-12-31T23:59:59/],
    [
      "that lasts longer than anything we sign",
      make({ notAfter: NOW + 7 * 24 * HOUR_MS + 61_000 }),
      /lasts too long, until 2026-01-08T00:01:01/,
    ],
    ["before its start", make({ notBefore: NOW + 1000 }), /not valid before 2026-01-01T00:00:01/],
    ["of an authority that has ended", make({ from: endedUsers }), /"ended" expired/],
    ["that is an authority's own", users.der, /it is an authority's/],
    [
      "for servers",
      bad([entity, signing, extendedKeyUsage("serverAuth"), userIdentity()]),
      /another purpose/,
    ],
    ["of a user for both purposes", bad([entity, signing, bothWays, userIdentity()]), /purpose/],
    [
      "of a host for clients only",
      bad([entity, signing, clientOnly, hostIdentity()], hosts),
      /purpose/,
    ],
    ["without a purpose", bad([entity, signing, userIdentity()]), /another purpose/],
    ["without a key usage", bad([entity, clientOnly, userIdentity()]), /another key usage/],
    [
      "that may sign certificates",
      bad([entity, keyUsage("digitalSignature", "keyCertSign"), clientOnly, userIdentity()]),
      /another key usage/,
    ],
    ["without an identity", bad([entity, signing, clientOnly]), /no identity/],
    [
      "of a host, signed as a user's",
      bad([entity, signing, clientOnly, hostIdentity()]),
      /does not belong/,
    ],
    [
      "of a user, signed as a host's",
      bad([entity, signing, bothWays, userIdentity()], hosts),
      /does not belong/,
    ],
    [
      "with an extension more",
      bad([
        entity,
        signing,
        clientOnly,
        userIdentity(),
        privateExtension("1.2.3")(Buffer.of(5, 0)),
      ]),
      /does not belong there: 1\.2\.3/,
    ],
    [
      "of a user with names",
      bad([entity, signing, clientOnly, userIdentity(), names]),
      /2\.5\.29\.17/,
    ],
    [
      "with an extension twice",
      bad([entity, signing, signing, clientOnly, userIdentity()]),
      /twice/,
    ],
    ["followed by a byte", Buffer.concat([make(), Buffer.of(0)]), /bytes after its end/],
    ["that is no certificate", Buffer.from("certificate"), /malformed/],
    ["that is empty", Buffer.alloc(0), /ends early/],
  ];
  for (const [name, der, detail] of cases)
    it(name, () => refusal(() => verifyClientCertificate(der, trust, NOW), detail));

  const identities: readonly [string, unknown][] = [
    ["a field more", { ...claims, admin: true }],
    ["a field missing", { ...claims, roles: undefined }],
    ["a field of another type", { ...claims, roles: "access" }],
    ["an empty user", { ...claims, user: "" }],
    ["a negative generation", { ...claims, generation: -1 }],
    ["no object", ["alice"]],
  ];
  for (const [name, value] of identities)
    it(`whose identity has ${name}`, () =>
      refusal(
        () =>
          verifyClientCertificate(
            bad([entity, signing, clientOnly, userIdentity(value)]),
            trust,
            NOW,
          ),
        /missing, unknown or wrong fields/,
      ));

  it("whose identity is not JSON, or broken UTF-8", () => {
    for (const bytes of [Buffer.from("{"), Buffer.from([0x22, 0xff, 0x22])]) {
      const extensions = [entity, signing, clientOnly, privateExtension(identityOids.user)(bytes)];
      refusal(() => verifyClientCertificate(bad(extensions), trust, NOW), /not JSON/);
    }
  });

  it("cut or changed at any byte", () => {
    const der = make();
    const verifier = new ClientVerifier(trust);
    for (let end = 0; end < der.length; end++)
      assert.throws(() => verifier.verify(der.subarray(0, end), NOW), { code: "unauthenticated" });
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(der);
        changed[at]! ^= flip;
        assert.throws(() => verifier.verify(changed, NOW), { code: "unauthenticated" });
      }),
    );
  });
});
