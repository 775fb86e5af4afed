import { duration, durationMs } from "#base/config";
import * as z from "zod";

/**
 * Settings of the join methods whose proof is an ID token of an OpenID Connect issuer: `oidc` for any
 * issuer, and the presets that know their platform's issuer and claims.
 */

const MAX_RULES = 100;
const MAX_TEXT = 512;
/** A key set of a large issuer has some twenty keys. */
const MAX_KEYS = 100;
/** An ID token that is older than a day proves little about today. */
export const MAX_ID_TOKEN_AGE_MS = 24 * 60 * 60 * 1000;

const text = z.string().min(1).max(MAX_TEXT);

const issuer = z
  .url({ protocol: /^https$/, error: "must be an https:// address" })
  .max(MAX_TEXT)
  .refine((url) => !/[?#@\s]/.test(url), {
    error: "must be an https:// address without user, query and fragment",
  });

const host = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?$/, {
  error: "must be a host name, with a port if it is not 443, and nothing else",
});

const maxTokenAge = duration
  .refine((age) => durationMs(age) > 0 && durationMs(age) <= MAX_ID_TOKEN_AGE_MS, {
    error: "must be longer than nothing and at most 24h",
  })
  .default("1h")
  .meta({ description: "how long after its issue an ID token is taken; at most 24h" });

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] as const;

/** RFC 7517: public keys only, so that a private or shared one never gets into the store. */
const publicJwk = z
  .object({
    kty: z.enum(["RSA", "EC", "OKP"], {
      error: "must be RSA, EC or OKP: keys that are shared with the issuer prove nothing",
    }),
  })
  .catchall(z.json())
  .refine((key) => PRIVATE_MEMBERS.every((member) => !(member in key)), {
    error: "holds a private key; give the public one only",
  });

const jwks = z
  .preprocess(
    parseText,
    z.object({ keys: z.array(publicJwk).min(1).max(MAX_KEYS) }).catchall(z.json()),
  )
  .meta({ description: "the issuer's JSON Web Key Set, as a table or as JSON text" });

function parseText(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Claims that verification checks anyway: as a rule they would hold for every token. */
const CHECKED_ANYWAY: readonly string[] = ["iss", "aud", "exp", "nbf", "iat", "jti", "nonce"];

const scalar = z.union([text, z.number(), z.boolean()]);

const claims = z
  .record(text, z.union([scalar, z.record(text, scalar)]))
  .refine((rule) => Object.keys(rule).length > 0, { error: "must name at least one claim" })
  .refine((rule) => !CHECKED_ANYWAY.some((claim) => claim in rule), {
    error: `must not name ${CHECKED_ANYWAY.join(", ")}: they are checked anyway`,
  });

const rulesOf = <T extends z.ZodType>(rule: T, description: string) =>
  z
    .array(rule)
    .min(1, { error: "must hold at least one rule: without one, nobody could join" })
    .max(MAX_RULES)
    .meta({ description });

const ANY_RULE = "an ID token that fits every claim of one entry may join";

export const oidc = z.strictObject({
  issuer: issuer.meta({ description: "the iss claim; its keys are found by discovery" }),
  audience: text
    .optional()
    .meta({ description: "what the aud claim must be; default: the cluster's name" }),
  jwks: jwks.optional(),
  max_token_age: maxTokenAge,
  allow: rulesOf(claims, ANY_RULE),
});

/** A rule that none of these claims narrows would let a whole platform in. */
const narrowedBy = (fields: readonly string[]) =>
  [
    (rule: object) => fields.some((field) => field in rule),
    { error: `must have one of ${fields.join(", ")}, or everyone there could join` },
  ] as const;

const pattern = text.meta({
  description: "* stands for any text without / and :, and ** for any text",
});

const githubRule = z
  .strictObject({
    repository: text.optional().meta({ description: "owner/name" }),
    repository_id: text.optional().meta({ description: "stays when the repository is renamed" }),
    repository_owner: text.optional().meta({ description: "user or organisation" }),
    repository_owner_id: text.optional().meta({ description: "stays when the owner is renamed" }),
    workflow: text.optional().meta({ description: "name of the workflow" }),
    job_workflow_ref: pattern.optional(),
    environment: text.optional().meta({ description: "environment of the job" }),
    actor: text.optional().meta({ description: "who started the workflow" }),
    ref: pattern.optional(),
    ref_type: z.enum(["branch", "tag"]).optional(),
    sub: pattern.optional(),
  })
  .refine(
    ...narrowedBy([
      "repository",
      "repository_id",
      "repository_owner",
      "repository_owner_id",
      "sub",
    ]),
  );

export const github = z
  .strictObject({
    enterprise_server_host: host
      .optional()
      .meta({ description: "GitHub Enterprise Server; default: github.com" }),
    enterprise_slug: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, { error: "must hold only letters, digits and -" })
      .optional()
      .meta({ description: "name of the enterprise, if it has an issuer of its own" }),
    jwks: jwks.optional(),
    require_challenge: z.boolean().default(true).meta({
      description: "take only ID tokens that were issued for this very join, as tbot asks for them",
    }),
    max_token_age: maxTokenAge,
    allow: rulesOf(githubRule, ANY_RULE),
  })
  .refine((spec) => !(spec.enterprise_server_host && spec.enterprise_slug), {
    path: ["enterprise_slug"],
    error: "cannot stand beside enterprise_server_host: an enterprise server has one issuer",
  });

const flag = z
  .union([z.boolean(), z.enum(["true", "false"])])
  .transform((value) => String(value))
  .meta({ typeName: "boolean" });

const gitlabRule = z
  .strictObject({
    project_path: pattern.optional(),
    project_id: text.optional(),
    namespace_path: pattern.optional(),
    namespace_id: text.optional(),
    ref: pattern.optional(),
    ref_type: z.enum(["branch", "tag"]).optional(),
    ref_protected: flag.optional().meta({ description: "whether the branch or tag is protected" }),
    environment: text.optional().meta({ description: "environment of the job" }),
    environment_protected: flag.optional(),
    pipeline_source: text.optional().meta({ description: "push, web, schedule and the like" }),
    user_login: text.optional().meta({ description: "who started the job" }),
    sub: pattern.optional(),
  })
  .refine(...narrowedBy(["project_path", "project_id", "namespace_path", "namespace_id", "sub"]));

export const gitlab = z.strictObject({
  domain: host.default("gitlab.com").meta({ description: "host name of the GitLab instance" }),
  audience: text
    .optional()
    .meta({ description: "what the aud claim must be; default: the cluster's name" }),
  jwks: jwks.optional(),
  max_token_age: maxTokenAge,
  allow: rulesOf(gitlabRule, ANY_RULE),
});

const kubernetesRule = z.strictObject({
  service_account: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, {
      error: "must be namespace:name",
    })
    .meta({ description: "namespace:name of the pod's service account" }),
});

export const kubernetes = z
  .strictObject({
    type: z.enum(["static_jwks", "oidc"]).meta({
      description: "whether the cluster's keys stand here or are found at its public issuer",
    }),
    static_jwks: z
      .strictObject({
        jwks,
        issuer: text.optional().meta({ description: "the iss claim, if it is to be checked too" }),
      })
      .optional()
      .meta({ description: "for type static_jwks" }),
    oidc: z.strictObject({ issuer }).optional().meta({ description: "for type oidc" }),
    audience: text
      .optional()
      .meta({ description: "what the aud claim must be; default: the cluster's name" }),
    max_token_age: maxTokenAge,
    allow: rulesOf(kubernetesRule, "the service accounts whose pods may join"),
  })
  .superRefine((spec, context) => {
    for (const type of ["static_jwks", "oidc"] as const) {
      if ((spec[type] !== undefined) === (spec.type === type)) continue;
      const message = spec.type === type ? `is required by type ${type}` : `needs type ${type}`;
      context.addIssue({ code: "custom", path: [type], message });
    }
  });

export type OidcSpec = z.infer<typeof oidc>;
export type GithubSpec = z.infer<typeof github>;
export type GitlabSpec = z.infer<typeof gitlab>;
export type KubernetesSpec = z.infer<typeof kubernetes>;
