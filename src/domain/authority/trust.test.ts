import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alice, bothKeys, CLUSTER, newAuthorities } from "#testing/authorities";
import { createPublicKey } from "node:crypto";
import { spkiPin } from "#base/crypto";
import { authorityTypes } from "#domain/resources";
import { caPins, trustFromProto, trustToProto } from "./trust.ts";

const badParameter = { code: "bad_parameter" };

describe("exported authorities", () => {
  it("come in the type's own form, or in another that it has", async () => {
    const { authorities } = await newAuthorities();
    const first = (type: (typeof authorityTypes)[number]): string =>
      authorities.exportAuthority(type).split(/[ \n]/)[0]!;
    assert.deepEqual(authorityTypes.map(first), [
      "cert-authority",
      "@cert-authority",
      "-----BEGIN",
      "-----BEGIN",
      "-----BEGIN",
      "{",
      "{",
    ]);
    const userKey = authorities.trust().userSsh[0]!;
    assert.equal(
      authorities.exportAuthority("user", "ssh"),
      `cert-authority ${userKey} ${CLUSTER}\n`,
    );
    assert.match(authorities.exportAuthority("user", "x509"), /^-----BEGIN CERTIFICATE-----\n/);
    const join = createPublicKey(authorities.exportAuthority("join", "pem"));
    assert.equal(join.asymmetricKeyType, "ed25519");
    assert.throws(() => authorities.exportAuthority("join", "x509"), {
      code: "bad_parameter",
      message: 'the join authority has no "x509" form; use jwk or pem',
    });
  });

  it("are summed up with the pin that a first contact compares", async () => {
    const { authorities } = await newAuthorities();
    const summary = authorities.describe();
    assert.deepEqual(
      summary.map(({ type }) => type),
      [...authorityTypes],
    );
    const host = summary.find(({ type }) => type === "host");
    assert.deepEqual(caPins(authorities.trust()), [host?.fingerprint]);
    assert.equal(host?.fingerprint, spkiPin(authorities.trust().hostX509[0]!));
    assert.ok(summary.every(({ phase }) => phase === "standby"));
  });
});

describe("the trust bundle", () => {
  it("survives its wire form", async () => {
    const { authorities } = await newAuthorities();
    assert.deepEqual(trustFromProto(trustToProto(authorities.trust())), authorities.trust());
  });

  it("is refused with parts that are not what they should be", async () => {
    const { authorities } = await newAuthorities();
    const good = trustToProto(authorities.trust());
    const leaf = authorities.issueUser(alice, bothKeys).tlsCertificate;
    const bad = [
      { clusterName: "" },
      { hostX509: [] },
      { hostX509: [leaf] },
      { userX509: [Buffer.from("x")] },
      { hostSsh: ["ssh-rsa AAAA"] },
      { userX509: Array.from({ length: 17 }, () => good.userX509[0]!) },
    ];
    for (const over of bad) assert.throws(() => trustFromProto({ ...good, ...over }), badParameter);
  });
});
