import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseDocument, type Token } from "#domain/resources";
import { githubClaims, gitlabClaims, kubernetesClaims } from "#testing/id-tokens";
import * as fc from "fast-check";
import { policyOf } from "./policy.ts";
import { fittingRule, type Claims } from "./rules.ts";

function policy(method: string, settings: object): NonNullable<ReturnType<typeof policyOf>> {
  const document = parseDocument({
    kind: "token",
    version: "v2",
    metadata: { name: "t" },
    spec: { roles: ["Bot"], bot_name: "robo", join_method: method, [method]: settings },
  });
  return policyOf(document as Token)!;
}

/** The reason, or `undefined` where the claims fit. */
function judge(method: string, settings: object, claims: Claims): string | undefined {
  const fit = fittingRule(policy(method, settings).rules, claims);
  return "reason" in fit ? fit.reason : undefined;
}

const issuer = "https://issuer.example";
const k8s = { type: "oidc", oidc: { issuer } };
type Case = readonly [name: string, method: string, settings: object, claims: Claims, why?: RegExp];

const cases: readonly Case[] = [
  ["a text that is equal", "oidc", { issuer, allow: [{ team: "a" }] }, { team: "a" }],
  [
    "a text that differs",
    "oidc",
    { issuer, allow: [{ team: "a" }] },
    { team: "b" },
    /rule 1: team is "b", not "a"/,
  ],
  ["case that differs", "oidc", { issuer, allow: [{ team: "a" }] }, { team: "A" }, /team is "A"/],
  ["a claim that is missing", "oidc", { issuer, allow: [{ team: "a" }] }, {}, /team is missing/],
  ["a number", "oidc", { issuer, allow: [{ level: 3 }] }, { level: 3 }],
  [
    "a text in place of a number",
    "oidc",
    { issuer, allow: [{ level: 3 }] },
    { level: "3" },
    /level is "3", not 3/,
  ],
  ["a boolean", "oidc", { issuer, allow: [{ admin: true }] }, { admin: true }],
  [
    "a text in place of a boolean",
    "oidc",
    { issuer, allow: [{ admin: true }] },
    { admin: "true" },
    /admin/,
  ],
  ["null", "oidc", { issuer, allow: [{ team: "a" }] }, { team: null }, /team is null/],
  ["one of a list", "oidc", { issuer, allow: [{ groups: "b" }] }, { groups: ["a", "b"] }],
  [
    "none of a list",
    "oidc",
    { issuer, allow: [{ groups: "c" }] },
    { groups: ["a", "b"] },
    /groups is \["a","b"\], not "c"/,
  ],
  ["a list in a list", "oidc", { issuer, allow: [{ groups: "a" }] }, { groups: [["a"]] }, /groups/],
  [
    "an object's member",
    "oidc",
    { issuer, allow: [{ "a.b/c": { d: "e" } }] },
    { "a.b/c": { d: "e" } },
  ],
  [
    "another object's member",
    "oidc",
    { issuer, allow: [{ a: { d: "e" } }] },
    { a: { d: "f" } },
    /a\.d is "f"/,
  ],
  [
    "a member in no object",
    "oidc",
    { issuer, allow: [{ a: { d: "e" } }] },
    { a: "e" },
    /a\.d is missing/,
  ],
  [
    "what every object inherits",
    "oidc",
    { issuer, allow: [{ toString: "x" }] },
    {},
    /toString is missing/,
  ],
  ["a star in the subject", "oidc", { issuer, allow: [{ sub: "svc:*" }] }, { sub: "svc:a" }],
  [
    "a star elsewhere, which is a star",
    "oidc",
    { issuer, allow: [{ team: "a*" }] },
    { team: "ab" },
    /team is "ab", not "a\*"/,
  ],
  ["every claim of a rule", "oidc", { issuer, allow: [{ a: "1", b: "2" }] }, { a: "1", b: "2" }],
  [
    "one claim of a rule",
    "oidc",
    { issuer, allow: [{ a: "1", b: "2" }] },
    { a: "1", b: "3" },
    /b is "3", not "2"\)$/,
  ],
  ["any rule", "oidc", { issuer, allow: [{ a: "1" }, { a: "2" }] }, { a: "2" }],
  [
    "claims of two rules",
    "oidc",
    {
      issuer,
      allow: [
        { a: "1", b: "1" },
        { a: "2", b: "2" },
      ],
    },
    { a: "1", b: "2" },
    /rule 1: b .*; rule 2: a /,
  ],
  ["a repository", "github", { allow: [{ repository: "octo/app" }] }, githubClaims],
  [
    "another repository",
    "github",
    { allow: [{ repository: "octo/ap" }] },
    githubClaims,
    /repository is "octo\/app"/,
  ],
  [
    "a star in a repository, which is a star",
    "github",
    { allow: [{ repository: "octo/*" }] },
    githubClaims,
    /repository/,
  ],
  [
    "an owner and a branch",
    "github",
    { allow: [{ repository_owner: "octo", ref: "refs/heads/*", ref_type: "branch" }] },
    githubClaims,
  ],
  [
    "an owner and a tag",
    "github",
    { allow: [{ repository_owner: "octo", ref_type: "tag" }] },
    githubClaims,
    /ref_type is "branch", not "tag"/,
  ],
  [
    "a subject of GitHub",
    "github",
    { allow: [{ sub: "repo:octo/*:ref:refs/heads/main" }] },
    githubClaims,
  ],
  [
    "all that GitHub's rules may say",
    "github",
    {
      allow: [
        {
          repository: "octo/app",
          repository_id: "74",
          repository_owner: "octo",
          repository_owner_id: "65",
          workflow: "deploy",
          job_workflow_ref: "octo/app/.github/workflows/*@refs/heads/main",
          environment: "production",
          actor: "octocat",
        },
      ],
    },
    githubClaims,
  ],
  [
    "a project of GitLab",
    "gitlab",
    { allow: [{ project_path: "group/*", ref_protected: true }] },
    gitlabClaims,
  ],
  [
    "an unprotected branch",
    "gitlab",
    { allow: [{ project_path: "group/app", ref_protected: true }] },
    { ...gitlabClaims, ref_protected: "false" },
    /ref_protected is "false", not "true"/,
  ],
  [
    "a subgroup",
    "gitlab",
    { allow: [{ project_path: "group/*" }] },
    { ...gitlabClaims, project_path: "group/sub/app" },
    /project_path is "group\/sub\/app", not like "group\/\*"/,
  ],
  [
    "a service account",
    "kubernetes",
    { ...k8s, allow: [{ service_account: "apps:robot" }] },
    kubernetesClaims,
  ],
  [
    "another service account",
    "kubernetes",
    { ...k8s, allow: [{ service_account: "apps:other" }] },
    kubernetesClaims,
    /sub is "system:serviceaccount:apps:robot"/,
  ],
  [
    "a service account without a pod",
    "kubernetes",
    { ...k8s, allow: [{ service_account: "apps:robot" }] },
    {
      ...kubernetesClaims,
      "kubernetes.io": { ...kubernetesClaims["kubernetes.io"], pod: undefined },
    },
    /kubernetes\.io\.pod\.name is missing/,
  ],
  [
    "a subject that its other claims deny",
    "kubernetes",
    { ...k8s, allow: [{ service_account: "apps:robot" }] },
    {
      ...kubernetesClaims,
      "kubernetes.io": { ...kubernetesClaims["kubernetes.io"], namespace: "other" },
    },
    /namespace is "other"/,
  ],
];

suite("allow rules", () => {
  for (const [name, method, settings, claims, why] of cases) {
    test(`${method}: ${name} ${why ? "does not fit" : "fits"}`, () => {
      const reason = judge(method, settings, claims);
      if (why) assert.match(reason ?? "it fits", why);
      else assert.equal(reason, undefined);
    });
  }

  test("a reason quotes no more than a little of a claim, and no line of it", () => {
    const reason = judge("oidc", { issuer, allow: [{ a: "1" }] }, { a: `\n${"x".repeat(5000)}` })!;
    assert.ok(reason.length < 300);
    assert.doesNotMatch(reason, /\n/);
  });

  test("a reason stays short, however many rules there are", () => {
    const allow = Array.from({ length: 100 }, (_, i) => ({ a: `${i}` }));
    assert.match(judge("oidc", { issuer, allow }, { a: "x" })!, /; and 95 more\)$/);
  });

  /** Any rule of texts, and claims that begin as exactly those. */
  const rule = fc.dictionary(
    fc
      .string({ minLength: 1, maxLength: 5 })
      .filter(
        (name) => !/^(iss|aud|exp|nbf|iat|jti|nonce|sub)$/.test(name) && name !== "__proto__",
      ),
    fc.string({ minLength: 1, maxLength: 5 }),
    { minKeys: 1, maxKeys: 4 },
  );

  test("claims that are what a rule says fit, and with any one of them changed or gone do not", () => {
    fc.assert(
      fc.property(rule, fc.nat(), fc.anything(), (claims, at, other) => {
        const settings = { issuer, allow: [claims] };
        assert.equal(judge("oidc", settings, { ...claims, more: other }), undefined);
        const names = Object.keys(claims);
        const name = names[at % names.length]!;
        const { [name]: right, ...rest } = claims;
        assert.notEqual(judge("oidc", settings, rest), undefined);
        fc.pre(other !== right && !(Array.isArray(other) && other.includes(right)));
        assert.notEqual(judge("oidc", settings, { ...rest, [name]: other }), undefined);
      }),
    );
  });
});
