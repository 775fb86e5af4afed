import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";

/** Every certificate of the holder carries them all. */
const MAX_ROLES = 100;
const MAX_TRAIT_CHARACTERS = 16_384;

/** Names of roles or users that something grants. */
export const grantedNames = z
  .array(z.string().min(1).max(256))
  .max(MAX_ROLES, { error: `must have at most ${MAX_ROLES} entries` })
  .default([]);

export const traits = z
  .record(z.string().min(1), z.array(z.string()))
  .refine((value) => JSON.stringify(value).length <= MAX_TRAIT_CHARACTERS, {
    error: `must hold at most ${MAX_TRAIT_CHARACTERS} characters in all: every certificate carries them`,
  });

const spec = z.strictObject({
  roles: grantedNames.meta({ description: "what the user may do" }),
  traits: traits
    .default({})
    .meta({ description: "lists of values that templates in roles read, such as logins" }),
  created_by: z.string().optional().meta({
    description: "who made it: a user, bot:NAME for the user of a bot, or system",
  }),
});

/** Name to list of values; a role's templates read them. */
export type Traits = z.infer<typeof traits>;
export type User = Resource<"user", z.infer<typeof spec>>;

export const userKind = defineKind<User>({
  kind: "user",
  version: "v1",
  aliases: ["users"],
  spec,
  fields: { role: (user) => user.spec.roles },
  indexes: [{ name: "role", version: 1, key: (user) => user.spec.roles }],
  textVersion: 1,
});

/** The label that ties a bot's user and role to it. */
export const BOT_LABEL = "tenon.internal/bot";
