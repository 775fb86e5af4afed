import { timestamp } from "#base/config";
import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";
import { recoveriesKeys } from "./recoveries.ts";
import { github, gitlab, kubernetes, oidc } from "./token-oidc.ts";

export const systemRoles = ["Bot", "Node", "App", "Db", "Kube", "Proxy"] as const;
export const recoveryModes = ["standard", "relaxed", "insecure"] as const;

/** The sample of RFD 0205 writes times that are not set as empty strings. */
const optionalTime = z
  .preprocess((value) => (value === "" || value === null ? undefined : value), timestamp.optional())
  .optional();

/** RFD 0205, `spec.bound_keypair`. */
const boundKeypair = z.strictObject({
  onboarding: z
    .strictObject({
      initial_public_key: z.string().default("").meta({
        description: "OpenSSH public key of the machine, known beforehand: no secret is needed",
      }),
      registration_secret: z.string().max(512).default("").meta({
        secret: true,
        description: "lets the first machine bind its key; without a key and a secret, one is made",
      }),
      must_register_before: optionalTime.meta({
        description: "until when the registration secret is taken",
      }),
    })
    .prefault({}),
  recovery: z
    .strictObject({
      limit: z
        .int()
        .min(1, { error: "must be at least 1: the first join counts as a recovery" })
        .default(1)
        .meta({
          description:
            "how often the machine may join without a valid certificate, the first time counted",
        }),
      mode: z.enum(recoveryModes).default("standard").meta({
        description:
          "standard counts recoveries, relaxed does not, insecure asks for no join state",
      }),
    })
    .prefault({}),
  rotate_after: optionalTime.meta({
    description: "a join after this time must bring a new key",
  }),
});

export const joinMethods = [
  "token",
  "bound_keypair",
  "oidc",
  "github",
  "gitlab",
  "kubernetes",
] as const;

const joinMethod = z
  .string()
  .transform((text) => text.replaceAll("-", "_"))
  .pipe(z.enum(joinMethods));

/** Methods with settings of their own, each under its name; `required` ones cannot do without. */
const settings = {
  bound_keypair: { required: false },
  oidc: { required: true },
  github: { required: true },
  gitlab: { required: true },
  kubernetes: { required: true },
} as const;

const settingsOf = (method: keyof typeof settings) =>
  ({ description: `settings of join method ${method}` }) as const;

const typedKeys = <K extends string>(record: Readonly<Record<K, unknown>>): K[] =>
  Object.keys(record) as K[];

const spec = z
  .strictObject({
    roles: z
      .array(z.enum(systemRoles))
      .default([])
      .meta({ description: "what may join; may be left out where bot_name says that it is [Bot]" }),
    bot_name: z.string().optional().meta({ description: "the bot that joins, for role Bot" }),
    join_method: joinMethod.meta({
      description:
        "how it proves itself: token (its name is the secret, good once), bound_keypair, or an ID token of its platform (oidc, github, gitlab, kubernetes)",
    }),
    bound_keypair: boundKeypair.optional().meta(settingsOf("bound_keypair")),
    oidc: oidc.optional().meta(settingsOf("oidc")),
    github: github.optional().meta(settingsOf("github")),
    gitlab: gitlab.optional().meta(settingsOf("gitlab")),
    kubernetes: kubernetes.optional().meta(settingsOf("kubernetes")),
  })
  .superRefine((token, context) => {
    const bot = token.roles.includes("Bot") || (token.roles.length === 0 && token.bot_name);
    if (!bot && token.roles.length === 0)
      context.addIssue({
        code: "custom",
        path: ["roles"],
        message: `must name what may join: ${systemRoles.join(", ")}`,
      });
    if (bot && !token.bot_name)
      context.addIssue({
        code: "custom",
        path: ["bot_name"],
        message: "is required when roles include Bot",
      });
    if (!bot && token.bot_name)
      context.addIssue({
        code: "custom",
        path: ["bot_name"],
        message: "needs the role Bot in roles",
      });
    if (bot && token.roles.length > 1)
      context.addIssue({
        code: "custom",
        path: ["roles"],
        message: "Bot cannot be combined with other roles",
      });
    for (const method of typedKeys(settings)) {
      const isMethod = token.join_method === method;
      if (!isMethod && token[method])
        context.addIssue({
          code: "custom",
          path: [method],
          message: `needs join_method ${method}`,
        });
      if (isMethod && !token[method] && settings[method].required)
        context.addIssue({
          code: "custom",
          path: [method],
          message: `is required by join_method ${method}: its allow rules say who may join`,
        });
    }
  })
  .transform((token) => ({
    ...token,
    ...(token.roles.length > 0 ? {} : { roles: ["Bot" as const] }),
    ...(token.join_method === "bound_keypair"
      ? { bound_keypair: token.bound_keypair ?? boundKeypair.parse({}) }
      : {}),
  }));

/** As many as a client keeps of its own (join.md section 5). */
export const MAX_FORMER_KEYS = 9;

/** The last attempt, kept until the client acknowledges it (join.md section 3). */
const attempt = z.strictObject({
  attempt_id: z.string(),
  solved_key: z.string(),
  tls_public_key: z.string(),
  ssh_public_key: z.string(),
  from: z.strictObject({ sequence: z.int(), instance_id: z.string(), generation: z.int() }),
  to: z.strictObject({ sequence: z.int(), instance_id: z.string(), generation: z.int() }),
  /** Of an attempt that a reset let through: SHA-256 (hex) of the join state that it presented. */
  presented_state: z.string().exactOptional(),
});

const status = z.strictObject({
  bound_keypair: z
    .strictObject({
      registration_secret: z.string().optional().meta({ secret: true }),
      bound_public_key: z.string().default(""),
      /** What rotations replaced, newest first, at most `MAX_FORMER_KEYS`: who still uses one is a copy. */
      former_public_keys: z.array(z.string()).exactOptional(),
      /** What the first join made: names the token's life, which ends when the token is deleted. */
      first_instance_id: z.string().default(""),
      bound_bot_instance_id: z.string().default(""),
      /** Of an agent, which has no instance of its own to keep them. */
      bound_host_id: z.string().exactOptional(),
      generation: z.int().exactOptional(),
      recovery_count: z.int().default(0),
      /** What the join state must carry; 0 before the first join. */
      recovery_sequence: z.int().default(0),
      last_recovered_at: timestamp.optional(),
      last_rotated_at: timestamp.optional(),
      /** An administrator accepts the bound key's next attempt, whatever its join state. */
      reset: z.strictObject({ at: timestamp, until: timestamp }).exactOptional(),
      /** The resync window in which the token was moved forward: once in each. */
      resynced_in: z.string().exactOptional(),
      last_attempt: attempt.optional(),
    })
    .optional(),
});

export type SystemRole = (typeof systemRoles)[number];
export type RecoveryMode = (typeof recoveryModes)[number];
export type JoinAttempt = z.infer<typeof attempt>;
export type Token = Resource<"token", z.infer<typeof spec>, z.infer<typeof status>>;

/** A `token` opens the cluster to whoever knows its name. */
const hasSecretName = (token: Token): boolean => token.spec.join_method === "token";

/** The name as events, logs and messages may show it: of a secret one, no more than its beginning. */
export function tokenDisplayName(token: Token): string {
  const { name } = token.metadata;
  if (!hasSecretName(token)) return name;
  return name.length >= 16 ? `${name.slice(0, 4)}…` : "…";
}

export const tokenKind = defineKind<Token>({
  kind: "token",
  version: "v2",
  aliases: ["tokens"],
  spec,
  status,
  hasSecretName,
  fields: {
    role: (token) => token.spec.roles,
    bot_name: (token) => (token.spec.bot_name ? [token.spec.bot_name] : []),
    join_method: (token) => [token.spec.join_method],
  },
  indexes: [
    {
      name: "bot_name",
      version: 1,
      key: (token) => (token.spec.bot_name ? [token.spec.bot_name] : []),
    },
    { name: "role", version: 1, key: (token) => token.spec.roles },
    { name: "recoveries_left", version: 1, key: recoveriesKeys },
  ],
});
