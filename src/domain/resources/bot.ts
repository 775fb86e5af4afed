import { duration } from "#base/config";
import { z } from "zod";
import { defineKind, type Resource } from "./kind.ts";

const spec = z.strictObject({
  roles: z.array(z.string().min(1)).default([]),
  traits: z
    .array(z.strictObject({ name: z.string().min(1), values: z.array(z.string()) }))
    .default([]),
  max_session_ttl: duration.default("12h"),
});

const status = z.strictObject({ user_name: z.string(), role_name: z.string() });

export type Bot = Resource<"bot", z.infer<typeof spec>, z.infer<typeof status>>;

export const botKind = defineKind<Bot>({
  kind: "bot",
  version: "v1",
  aliases: ["bots"],
  spec,
  status,
  fields: { role: (bot) => bot.spec.roles },
  indexes: [{ name: "role", version: 1, key: (bot) => bot.spec.roles }],
});

/** The name of both the user and the role that belong to a bot. */
export const botUserName = (bot: string): string => `bot-${bot}`;
