// The decisions against a model that spells out the specification: deny beats allow, no rule is no
// access, all label names must match.
import assert from "node:assert/strict";
import { test } from "node:test";
import { roleKind, type Role } from "#domain/resources";
import * as fc from "fast-check";
import { decideOpen, decideVerb, guardedResources, impersonation, loginsOf } from "./index.ts";

const text = fc.constantFrom("a", "b", "c");
const pattern = fc.constantFrom("a", "b", "c", "*", "a*", "{{internal.t}}");
const matchers = fc.oneof(
  fc.constant({ "*": ["*"] }),
  fc.dictionary(text, fc.array(pattern, { minLength: 1, maxLength: 2 }), { maxKeys: 2 }),
);
const resource = fc.constantFrom("bot", "role", "lock", "event" as const);
const verb = fc.constantFrom("list", "read", "update" as const);
const rule = fc.record({
  resources: fc.array(fc.oneof(resource, fc.constant("*")), { minLength: 1, maxLength: 2 }),
  verbs: fc.array(fc.oneof(verb, fc.constant("*")), { minLength: 1, maxLength: 2 }),
});
const conditions = fc.record({
  logins: fc.array(pattern, { maxLength: 2 }),
  app_labels: matchers,
  impersonate: fc.record({ roles: fc.array(text, { maxLength: 2 }) }),
  rules: fc.array(rule, { maxLength: 2 }),
});
const role = fc
  .record({ allow: conditions, deny: fc.oneof(fc.constant({}), conditions) })
  .map((spec): Role => {
    const metadata = { name: "r" };
    return roleKind.schema.parse({ kind: "role", version: "v1", metadata, spec });
  });
const roles = fc.array(role, { maxLength: 4 });
const labels = fc.dictionary(text, text, { maxKeys: 3 });
const traits = fc.oneof(fc.constant({}), fc.record({ t: fc.array(text, { maxLength: 2 }) }));

const question = fc.record({ roles, labels, traits, resource, verb, login: text });
type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

interface Answer {
  readonly app: boolean;
  readonly verb: boolean;
  readonly login: boolean;
  readonly impersonate: boolean;
}

const decide = (q: Question, given: readonly Role[] = q.roles): Answer => ({
  app: decideOpen("app", { roles: given, traits: q.traits }, q.labels).allowed,
  verb: decideVerb(given, q.resource, q.verb).allowed,
  login: loginsOf(given, q.traits).includes(q.login),
  impersonate: impersonation(given).allowsRole(q.login),
});

type Side = Role["spec"]["allow"];

function model(q: Question): Answer {
  const { t = [] } = q.traits as { t?: string[] };
  const fits = (wanted: string, value: string): boolean => {
    if (wanted === "{{internal.t}}") return t.includes(value);
    return wanted === "*" || wanted === value || (wanted === "a*" && value.startsWith("a"));
  };
  const label = (side: Side): boolean => {
    const names = Object.keys(side.app_labels);
    if (names.length === 0) return false;
    return names.every((name) => {
      if (name === "*") return true;
      const value = q.labels[name];
      return value !== undefined && side.app_labels[name]!.some((wanted) => fits(wanted, value));
    });
  };
  const named = (side: Side, wildcard: boolean): boolean =>
    side.rules.some(
      (rule) =>
        rule.verbs.some((each) => each === "*" || each === q.verb) &&
        rule.resources.some((each) => each === q.resource || (wildcard && each === "*")),
    );
  const guarded = guardedResources.includes(q.resource) && q.verb === "update";
  const exactLogin = (side: Side): boolean =>
    side.logins.some((wanted) =>
      wanted === "{{internal.t}}" ? t.includes(q.login) : wanted === q.login,
    );
  const patternLogin = (side: Side): boolean => side.logins.some((wanted) => fits(wanted, q.login));
  const any = (side: "allow" | "deny", test: (side: Side) => boolean): boolean =>
    q.roles.some((role) => test(role.spec[side]));
  const both = (allow: (side: Side) => boolean, deny = allow): boolean =>
    any("allow", allow) && !any("deny", deny);
  return {
    app: both(label),
    verb: both(
      (side) => named(side, !guarded),
      (side) => named(side, true),
    ),
    login: both(exactLogin, patternLogin),
    impersonate: both((side) => side.impersonate.roles.includes(q.login)),
  };
}

const answers = ["app", "verb", "login", "impersonate"] as const;
const runs = { numRuns: 1_000 };

test("every decision is that of the model", () => {
  fc.assert(
    fc.property(question, (q) => {
      assert.deepEqual(decide(q), model(q));
    }),
    runs,
  );
});

test("the order of roles is irrelevant", () => {
  fc.assert(
    fc.property(question, fc.nat(), (q, turn) => {
      const at = turn % Math.max(1, q.roles.length);
      const turned = [...q.roles.slice(at), ...q.roles.slice(0, at)];
      assert.deepEqual(decide(q, turned), decide(q));
      assert.deepEqual(decide(q, turned.toReversed()), decide(q));
    }),
    runs,
  );
});

test("adding what allows never takes access away", () => {
  fc.assert(
    fc.property(question, role, (q, more) => {
      const onlyAllows = roleKind.schema.parse({ ...more, spec: { allow: more.spec.allow } });
      const [before, after] = [decide(q), decide(q, [...q.roles, onlyAllows])];
      for (const name of answers) assert(after[name] || !before[name], name);
    }),
    runs,
  );
});

test("adding what denies never gives access", () => {
  fc.assert(
    fc.property(question, role, (q, more) => {
      const onlyDenies = roleKind.schema.parse({ ...more, spec: { deny: more.spec.deny } });
      const [before, after] = [decide(q), decide(q, [...q.roles, onlyDenies])];
      for (const name of answers) assert(before[name] || !after[name], name);
    }),
    runs,
  );
});

test("the questions are of both kinds, so that the answers above mean something", () => {
  const seen = fc.sample(question, { numRuns: 500, seed: 1 }).map((q) => decide(q));
  for (const name of answers) {
    const share = seen.filter((answer) => answer[name]).length / seen.length;
    assert(share > 0.05 && share < 0.95, `${name}: ${share}`);
  }
});
