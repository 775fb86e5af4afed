// Tokens whose proof is an ID token: what their settings may say.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CodedError } from "#base/kernel";
import { parseDocument, type Token } from "./index.ts";

const document = (method: string, settings: unknown, more: object = {}): unknown => ({
  kind: "token",
  version: "v2",
  metadata: { name: "t" },
  spec: { bot_name: "ci", join_method: method, [method]: settings, ...more },
});
const specOf = (method: string, settings: unknown): Token["spec"] =>
  (parseDocument(document(method, settings)) as Token).spec;

const issuer = "https://issuer.example";
const jwk = { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "k" };
const oidc = (rest: object = {}) => ({ issuer, allow: [{ sub: "x" }], ...rest });
const github = (rest: object = {}) => ({ allow: [{ repository: "octo/app" }], ...rest });
const pods = (rest: object = {}) => ({
  type: "oidc",
  oidc: { issuer },
  allow: [{ service_account: "apps:robot" }],
  ...rest,
});

const refused: readonly [name: string, method: string, settings: unknown, why: RegExp][] = [
  ["no settings", "oidc", undefined, /spec\.oidc: is required by join_method oidc/],
  ["no rules", "oidc", { issuer }, /spec\.oidc\.allow/],
  ["an empty list of rules", "oidc", oidc({ allow: [] }), /without one, nobody could join/],
  ["a rule of nothing", "oidc", oidc({ allow: [{}] }), /must name at least one claim/],
  ["a rule of an empty text", "oidc", oidc({ allow: [{ sub: "" }] }), /allow\[0\]/],
  ["a rule of the audience", "oidc", oidc({ allow: [{ aud: "x" }] }), /checked anyway/],
  ["a rule of the issuer and more", "oidc", oidc({ allow: [{ iss: "x", sub: "y" }] }), /checked/],
  ["a rule that is too deep", "oidc", oidc({ allow: [{ a: { b: { c: "d" } } }] }), /allow\[0\]/],
  [
    "a hundred and one rules",
    "oidc",
    oidc({ allow: Array.from({ length: 101 }, () => ({ sub: "x" })) }),
    /allow/,
  ],
  ["no issuer", "oidc", { allow: [{ sub: "x" }] }, /spec\.oidc\.issuer/],
  ["an issuer without TLS", "oidc", oidc({ issuer: "http://a" }), /must be an https:\/\/ address/],
  ["an issuer with a query", "oidc", oidc({ issuer: "https://a?b" }), /without user, query/],
  ["an issuer with a password", "oidc", oidc({ issuer: "https://a:b@c" }), /without user/],
  ["a key set that is text of another kind", "oidc", oidc({ jwks: "keys" }), /spec\.oidc\.jwks/],
  ["an empty key set", "oidc", oidc({ jwks: { keys: [] } }), /jwks\.keys/],
  ["a shared key", "oidc", oidc({ jwks: { keys: [{ kty: "oct", k: "AA" }] } }), /prove nothing/],
  ["a private key", "oidc", oidc({ jwks: { keys: [{ ...jwk, d: "AA" }] } }), /holds a private key/],
  ["ID tokens of over a day", "oidc", oidc({ max_token_age: "25h" }), /at most 24h/],
  ["ID tokens of no age", "oidc", oidc({ max_token_age: "0s" }), /longer than nothing/],
  ["anyone on GitHub", "github", { allow: [{ actor: "octocat" }] }, /everyone there could join/],
  [
    "an unknown claim",
    "github",
    { allow: [{ repo: "octo/app" }] },
    /repo: unknown field; allowed: repository,/,
  ],
  [
    "a host with a path",
    "github",
    github({ enterprise_server_host: "a/b" }),
    /must be a host name/,
  ],
  ["a host with a scheme", "github", github({ enterprise_server_host: "https://a" }), /host name/],
  [
    "a server and a slug",
    "github",
    github({ enterprise_server_host: "a", enterprise_slug: "b" }),
    /enterprise_slug: cannot stand beside/,
  ],
  ["anyone on GitLab", "gitlab", { allow: [{ ref: "main" }] }, /must have one of project_path/],
  [
    "a service account without namespace",
    "kubernetes",
    pods({ allow: [{ service_account: "a" }] }),
    /must be namespace:name/,
  ],
  [
    "a star for a service account",
    "kubernetes",
    pods({ allow: [{ service_account: "a:*" }] }),
    /must be namespace:name/,
  ],
  [
    "keys without their type",
    "kubernetes",
    pods({ static_jwks: { jwks: { keys: [jwk] } } }),
    /static_jwks: needs type static_jwks/,
  ],
  [
    "a type without its keys",
    "kubernetes",
    pods({ type: "static_jwks", oidc: undefined }),
    /static_jwks: is required by type/,
  ],
  ["a type that is none", "kubernetes", pods({ type: "in_cluster" }), /static_jwks.*oidc/],
];

suite("tokens of methods oidc, github, gitlab and kubernetes", () => {
  for (const [name, method, settings, why] of refused) {
    test(`${method}: refuse ${name}`, () => {
      assert.throws(
        () => specOf(method, settings),
        (error) =>
          error instanceof CodedError &&
          error.code === "bad_parameter" &&
          (assert.match(error.message, why), true),
      );
    });
  }

  test("refuse the settings of another method", () => {
    const both = document("github", github(), { oidc: oidc() });
    assert.throws(() => parseDocument(both), /spec\.oidc: needs join_method oidc/);
  });

  test("need no more than their rules", () => {
    assert.deepEqual(specOf("github", github()).github, {
      require_challenge: true,
      max_token_age: "1h",
      allow: [{ repository: "octo/app" }],
    });
    const rule = { project_path: "group/app" };
    const { domain, allow } = specOf("gitlab", {
      allow: [{ ...rule, ref_protected: true }],
    }).gitlab!;
    assert.equal(domain, "gitlab.com");
    assert.deepEqual(allow, [{ ...rule, ref_protected: "true" }]);
    assert.equal(specOf("kubernetes", pods()).kubernetes?.audience, undefined);
    assert.equal(specOf("oidc", oidc()).oidc?.issuer, issuer);
  });

  test("take a key set as a table and as text, and keep all of it", () => {
    const jwks = { keys: [{ ...jwk, x5c: ["AA"], use: "sig" }] };
    for (const given of [jwks, JSON.stringify(jwks)])
      assert.deepEqual(specOf("oidc", oidc({ jwks: given })).oidc?.jwks, jwks);
  });

  test("read back as themselves", () => {
    const settings = { oidc: oidc(), github: github(), kubernetes: pods() };
    for (const [method, each] of Object.entries(settings)) {
      const parsed = parseDocument(document(method, each));
      assert.deepEqual(parseDocument(JSON.parse(JSON.stringify(parsed))), parsed);
    }
  });
});
