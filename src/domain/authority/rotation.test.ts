import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import {
  authorityTypes,
  certAuthorityKind,
  rotationPhases,
  type AuthorityType,
  type CertAuthority,
  type RotationPhase,
} from "#domain/resources";
import { trustedKeys } from "./export.ts";
import { generateKeys } from "./keys.ts";
import { holdStill, nextPhase, nextPhaseAt, phaseOf, retiredKeys, step } from "./rotation.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const HOUR = 3_600_000;
const keysOf = (type: AuthorityType) =>
  generateKeys(type, { clusterName: "example.test", now: NOW }).publicKeys;
const newKeys = Object.fromEntries(authorityTypes.map((type) => [type, keysOf(type)]));

function standby(type: AuthorityType): CertAuthority {
  return certAuthorityKind.schema.parse({
    kind: "cert_authority",
    version: "v1",
    metadata: { name: type },
    spec: { type, cluster_name: "example.test", active: { ...keysOf(type), key_id: "old" } },
    status: { phase: "standby" },
  });
}

/** The shortest way into each phase. */
const ways: Readonly<Record<RotationPhase, readonly RotationPhase[]>> = {
  standby: [],
  init: ["init"],
  update_clients: ["init", "update_clients"],
  update_servers: ["init", "update_clients", "update_servers"],
  rollback: ["init", "update_clients", "update_servers", "rollback"],
};

const go = (authority: CertAuthority, phase: RotationPhase, now = NOW): CertAuthority =>
  step(authority, phase, {
    now,
    graceMs: 30 * HOUR,
    newKeys: { ...newKeys[authority.spec.type]!, key_id: "new" },
  });

const inPhase = (type: AuthorityType, phase: RotationPhase): CertAuthority =>
  ways[phase].reduce((authority, each) => go(authority, each), standby(type));

const signer = ({ spec }: CertAuthority): string => spec.active.key_id;
const trusted = (authority: CertAuthority): string[] =>
  trustedKeys(authority).map(({ key_id }) => key_id);

describe("who signs, and who is trusted beside", () => {
  const clients = ["old", "old, new", "new, old", "new, old", "old, new"];
  const servers = ["old", "old, new", "old, new", "new, old", "old, new"];
  const table: Readonly<Record<AuthorityType, readonly string[]>> = {
    user: clients,
    "database-client": clients,
    spiffe: clients,
    join: clients,
    app: clients,
    host: servers,
    database: servers,
  };
  for (const type of authorityTypes)
    it(`of the ${type} authority is as the table of docs/protocols/rotation.md says`, () => {
      const found = rotationPhases.map((phase) => trusted(inPhase(type, phase)).join(", "));
      assert.deepEqual(found, table[type]);
    });
});

const allowed: Readonly<Record<RotationPhase, readonly RotationPhase[]>> = {
  standby: ["init"],
  init: ["update_clients", "rollback"],
  update_clients: ["update_servers", "rollback"],
  update_servers: ["standby", "rollback"],
  rollback: ["standby"],
};

describe("from phase", () => {
  for (const from of rotationPhases)
    for (const to of rotationPhases.filter((phase) => phase !== from)) {
      const may = allowed[from].includes(to);
      it(`${from} to ${to} ${may ? "leads a step" : "leads none, and the refusal says what does"}`, () => {
        const authority = inPhase("user", from);
        if (may) return assert.equal(phaseOf(go(authority, to)), to);
        const what = from === "standby" ? /"init" starts one/ : new RegExp(`"${allowed[from][0]}"`);
        assert.throws(() => go(authority, to), { code: "bad_parameter", message: what });
      });
    }
});

test("who is one phase ahead and who is one behind accept each other, in every step of every type", () => {
  for (const type of authorityTypes)
    for (const from of rotationPhases)
      for (const to of allowed[from]) {
        const [before, after] = [inPhase(type, from), go(inPhase(type, from), to)];
        assert.ok(trusted(after).includes(signer(before)), `${type}: ${from} is refused in ${to}`);
        // Those who never heard of a rotation at all only meet what its first phase signs.
        assert.ok(trusted(before).includes(signer(after)), `${type}: ${to} is refused in ${from}`);
      }
});

describe("the end of a rotation", () => {
  const end = (type: AuthorityType, last: RotationPhase): CertAuthority =>
    go(inPhase(type, last), "standby", NOW + 100 * HOUR);

  it("trusts only the new keys, and after a rollback only the old ones", () => {
    for (const type of authorityTypes) {
      assert.deepEqual(trusted(end(type, "update_servers")), ["new"]);
      assert.deepEqual(trusted(end(type, "rollback")), ["old"]);
    }
  });

  it("remembers former keys of hosts and joins for a grace period after they last signed", () => {
    for (const type of ["host", "join"] as const) {
      const [retired, ...others] = retiredKeys(end(type, "update_servers"));
      assert.deepEqual([retired!.keys.key_id, retired!.until], ["old", NOW + 30 * HOUR]);
      assert.deepEqual(others, []);
      assert.equal(retiredKeys(end(type, "rollback"))[0]!.keys.key_id, "new");
    }
    assert.deepEqual(retiredKeys(end("user", "update_servers")), []);
  });

  it("forgets new keys that have never signed", () => {
    const back = go(go(inPhase("host", "update_clients"), "rollback"), "standby");
    assert.deepEqual(retiredKeys(back), []);
    assert.deepEqual(trusted(back), ["old"]);
  });

  it("remembers ten at most, the newest", () => {
    let authority = standby("join");
    for (let index = 0; index < 12; index += 1) {
      for (const phase of ["init", "update_clients", "update_servers", "standby"] as const)
        authority = step(authority, phase, {
          now: NOW,
          newKeys: { ...newKeys["join"]!, key_id: `new-${index}` },
        });
    }
    const ids = retiredKeys(authority).map(({ keys }) => keys.key_id);
    assert.deepEqual(
      ids,
      [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((index) => `new-${index}`),
    );
  });
});

describe("an automatic rotation", () => {
  it("goes on after a third of its grace period, from when each phase really began", () => {
    const started = go(standby("user"), "init");
    assert.equal(nextPhaseAt(started), NOW + 10 * HOUR);
    const late = go(started, "update_clients", NOW + 50 * HOUR);
    assert.equal(nextPhaseAt(late), NOW + 60 * HOUR);
    assert.equal(nextPhaseAt(go(late, "rollback", NOW + 51 * HOUR)), NOW + 61 * HOUR);
  });

  it("goes through all phases to the end", () => {
    const phases: RotationPhase[] = ["init"];
    while (phases.at(-1) !== "standby") phases.push(nextPhase(phases.at(-1)!));
    assert.deepEqual(phases, ["init", "update_clients", "update_servers", "standby"]);
  });

  it("stands still when it is made a manual one, at a step or without", () => {
    const started = go(standby("user"), "init");
    assert.equal(nextPhaseAt(holdStill(started)), undefined);
    const stepped = step(started, "update_clients", { now: NOW, mode: "manual" });
    assert.equal(nextPhaseAt(stepped), undefined);
    assert.equal(nextPhaseAt(go(stepped, "update_servers")), undefined);
  });
});

test("new keys that are not valid yet do not begin to sign", () => {
  const ahead = generateKeys("user", { clusterName: "example.test", now: NOW + HOUR }).publicKeys;
  const started = step(standby("user"), "init", { now: NOW, newKeys: ahead });
  assert.throws(() => step(started, "update_clients", { now: NOW }), {
    code: "bad_parameter",
    message: /not valid before .*roll back/,
  });
  assert.equal(phaseOf(step(started, "rollback", { now: NOW })), "rollback");
});

test("a grace period in which nobody could follow, or that never ends, is refused", () => {
  for (const graceMs of [0, 1, 10 * 60_000 - 1, 90 * 24 * HOUR + 1, Number.NaN])
    assert.throws(
      () => step(standby("user"), "init", { now: NOW, graceMs, newKeys: newKeys["user"]! }),
      { code: "bad_parameter" },
      String(graceMs),
    );
});
