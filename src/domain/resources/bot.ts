import { duration, timestamp } from "#base/config";
import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";
import { grantedNames, traits, type Traits } from "./user.ts";

const spec = z.strictObject({
  roles: grantedNames.meta({ description: "roles that the bot may use" }),
  traits: z
    .array(z.strictObject({ name: z.string().min(1), values: z.array(z.string()) }))
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
      error: "names a trait twice",
    })
    .refine((list) => traits.safeParse(traitsOf(list)).success, {
      error: "hold too much: every certificate carries them",
    })
    .default([])
    .meta({ description: "lists of values that templates in roles read, such as logins" }),
  max_session_ttl: duration
    .default("12h")
    .meta({ description: "longest lifetime of what the bot is given" }),
});

const status = z.strictObject({
  user_name: z.string(),
  role_name: z.string(),
  created_at: timestamp.optional().meta({ description: "when the bot was made" }),
  created_by: z.string().optional().meta({ description: "who made it" }),
});

export type Bot = Resource<"bot", z.infer<typeof spec>, z.infer<typeof status>>;

/** Of the bot's user: what the templates in roles read. */
export const botTraits = (bot: Bot): Traits => traitsOf(bot.spec.traits);

function traitsOf(list: readonly { name: string; values: string[] }[]): Traits {
  return Object.fromEntries(list.map(({ name, values }) => [name, values]));
}

export const botKind = defineKind<Bot>({
  kind: "bot",
  version: "v1",
  aliases: ["bots"],
  spec,
  status,
  fields: { role: (bot) => bot.spec.roles },
  sorts: ["created_at"],
  indexes: [
    { name: "role", version: 1, key: (bot) => bot.spec.roles },
    { name: "created_at", version: 1, key: (bot) => [bot.status?.created_at ?? ""] },
  ],
  textVersion: 1,
});

/** The name of both the user and the role that belong to a bot. */
export const botUserName = (bot: string): string => `bot-${bot}`;
