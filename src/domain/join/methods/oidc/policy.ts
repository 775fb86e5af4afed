import { durationMs } from "#base/config";
import type { GithubSpec, GitlabSpec, KubernetesSpec, OidcSpec, Token } from "#domain/resources";
import type { Condition, Rule } from "./rules.ts";

/** What a token asks of an ID token, whichever method it is of. */
export interface Policy {
  /** `undefined`: whoever holds the keys in `jwks`. */
  readonly issuer: string | undefined;
  /** `undefined`: what the issuer publishes. */
  readonly jwks: unknown;
  /** `undefined`: the cluster's name. */
  readonly audience: string | undefined;
  readonly maxAgeMs: number;
  /** Whether only an answer to a challenge of ours counts. */
  readonly challenge: boolean;
  readonly rules: readonly Rule[];
  /** Claims that the bot instance remembers, beside those of the rule that fitted. */
  readonly remembered: readonly string[];
}

/** Each method whose proof is an ID token; `undefined` where the token lacks its settings. */
const policies = {
  oidc: ({ oidc }: Token["spec"]) => oidc && ofOidc(oidc),
  github: ({ github }: Token["spec"]) => github && ofGithub(github),
  gitlab: ({ gitlab }: Token["spec"]) => gitlab && ofGitlab(gitlab),
  kubernetes: ({ kubernetes }: Token["spec"]) => kubernetes && ofKubernetes(kubernetes),
} as const satisfies Partial<
  Record<Token["spec"]["join_method"], (spec: Token["spec"]) => Policy | undefined>
>;

export type OidcMethod = keyof typeof policies;

export const isOidcMethod = (method: string): method is OidcMethod =>
  Object.hasOwn(policies, method);

/** `undefined` for tokens of other methods. */
export function policyOf({ spec }: Token): Policy | undefined {
  return isOidcMethod(spec.join_method) ? policies[spec.join_method](spec) : undefined;
}

type Scalar = string | number | boolean;

/** The subject is the one claim of every issuer that is made of parts. */
const SUBJECT_PATTERN: ReadonlySet<string> = new Set(["sub"]);

const ofOidc = (spec: OidcSpec): Policy => ({
  issuer: spec.issuer,
  jwks: spec.jwks,
  audience: spec.audience,
  maxAgeMs: durationMs(spec.max_token_age),
  challenge: false,
  rules: spec.allow.map((claims) =>
    Object.entries(claims).flatMap(([name, value]) =>
      typeof value === "object"
        ? Object.entries(value).map(([inner, scalar]) => ({ path: [name, inner], is: scalar }))
        : [condition(name, value, SUBJECT_PATTERN)],
    ),
  ),
  remembered: [],
});

const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const GITHUB_PATTERNS: ReadonlySet<string> = new Set(["sub", "ref", "job_workflow_ref"]);

/** docs.github.com, "OpenID Connect reference": issuers and claims. */
const ofGithub = (spec: GithubSpec): Policy => ({
  issuer: githubIssuer(spec),
  jwks: spec.jwks,
  audience: undefined,
  maxAgeMs: durationMs(spec.max_token_age),
  challenge: spec.require_challenge,
  rules: spec.allow.map((rule) => ruleOf(rule, GITHUB_PATTERNS)),
  remembered: ["repository", "ref", "workflow", "actor", "run_id", "run_attempt", "sha"],
});

function githubIssuer(spec: GithubSpec): string {
  if (spec.enterprise_server_host) return `https://${spec.enterprise_server_host}/_services/token`;
  return spec.enterprise_slug ? `${GITHUB_ISSUER}/${spec.enterprise_slug}` : GITHUB_ISSUER;
}

const GITLAB_PATTERNS: ReadonlySet<string> = new Set([
  "sub",
  "ref",
  "project_path",
  "namespace_path",
]);

/** docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens": issuer and claims. */
const ofGitlab = (spec: GitlabSpec): Policy => ({
  issuer: `https://${spec.domain}`,
  jwks: spec.jwks,
  audience: spec.audience,
  maxAgeMs: durationMs(spec.max_token_age),
  challenge: false,
  rules: spec.allow.map((rule) => ruleOf(rule, GITLAB_PATTERNS)),
  remembered: ["project_path", "ref", "user_login", "pipeline_id", "job_id", "sha"],
});

/** kubernetes.io, "Managing Service Accounts": the claims of a token that is bound to a pod. */
const ofKubernetes = (spec: KubernetesSpec): Policy => ({
  issuer: spec.oidc?.issuer ?? spec.static_jwks?.issuer,
  jwks: spec.static_jwks?.jwks,
  audience: spec.audience,
  maxAgeMs: durationMs(spec.max_token_age),
  challenge: false,
  rules: spec.allow.map(({ service_account: account }) => {
    const [namespace = "", name = ""] = account.split(":");
    return [
      { path: ["sub"], is: `system:serviceaccount:${account}` },
      { path: ["kubernetes.io", "namespace"], is: namespace },
      { path: ["kubernetes.io", "serviceaccount", "name"], is: name },
      // A token that is bound to nothing outlives whatever it was made for.
      { path: ["kubernetes.io", "pod", "name"], present: true },
    ];
  }),
  remembered: [],
});

const ruleOf = (
  claims: Readonly<Record<string, Scalar | undefined>>,
  patterns: ReadonlySet<string>,
): Rule =>
  Object.entries(claims).flatMap(([name, value]) =>
    value === undefined ? [] : [condition(name, value, patterns)],
  );

const condition = (name: string, value: Scalar, patterns: ReadonlySet<string>): Condition =>
  typeof value === "string" && patterns.has(name)
    ? { path: [name], like: value }
    : { path: [name], is: value };
