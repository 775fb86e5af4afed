import { addFormat, printResult, type CommandIo } from "#base/cli";
import { duration, durationMs } from "#base/config";
import { randomToken } from "#base/crypto";
import { systemClock } from "#base/kernel";
import { joinUriOf, type Entry } from "#domain/join";
import { systemRoles, type SystemRole } from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../../action.ts";
import { boundKeypair, onboardingFlags } from "../../bound-token.ts";
import { createAll, found } from "../../documents.ts";
import { entryOf } from "../../join.ts";
import { timeOf } from "../../time.ts";

const roleOf = Object.fromEntries(systemRoles.map((role) => [role.toLowerCase(), role]));
const ofBoundKeypair = ["name", "public_key", "recovery_limit", "recovery_mode"] as const;

const flags = z
  .strictObject({
    type: z.enum(Object.keys(roleOf)).meta({ description: "what may join with it" }),
    ttl: duration.default("1h").meta({ description: "how long it may be used, once" }),
    bot: z
      .string()
      .min(1)
      .optional()
      .meta({ placeholder: "name", description: "for --type bot: the bot" }),
    join_method: z
      .enum(["token", "bound_keypair"])
      .default("token")
      .meta({
        description: "token: one join; bound_keypair: its machine can come back by its own key",
        valueAliases: { "bound-keypair": "bound_keypair" },
      }),
    name: z.string().min(1).optional().meta({
      description: "name of the token (bound_keypair; default: its type and a number)",
    }),
    ...onboardingFlags,
  })
  .superRefine((options, context) => {
    const { type, bot, join_method: method } = options;
    const forBot = type === "bot";
    if (forBot && bot === undefined)
      context.addIssue({ code: "custom", path: ["bot"], message: "is required with --type bot" });
    if (!forBot && bot !== undefined)
      context.addIssue({ code: "custom", path: ["bot"], message: "needs --type bot" });
    for (const name of ofBoundKeypair)
      if (method !== "bound_keypair" && options[name] !== undefined)
        context.addIssue({
          code: "custom",
          path: [name],
          message: "needs --join-method bound_keypair",
        });
  });

type Flags = z.output<typeof flags>;

export function defineTokensAdd(command: Command, io: CommandIo): void {
  onCluster(addFormat(command), io, { schema: flags, act: addToken });
}

async function addToken({ cluster, options, format, io, npx }: Given<Flags>): Promise<void> {
  const role = roleOf[options.type]!;
  const entry = await entryOf(cluster);
  const until = timeOf(systemClock.now() + durationMs(options.ttl));
  const { documents } = await createAll(cluster, [await tokenOf(role, options, until)]);
  const token = found(documents, "token");
  const bound = token.spec.join_method === "bound_keypair";
  const uri = joinUriOf(entry, token);
  const value = {
    token: token.metadata.name,
    role,
    join_method: token.spec.join_method,
    ...(options.bot === undefined ? {} : { bot: options.bot }),
    expires: options.public_key === undefined ? until : "",
    ca_pins: entry.caPins,
    join_uri: uri,
    command: commandFor(role, { uri, bound, token: token.metadata.name, entry, npx }),
  };
  await printResult(io, { format, value, text: () => textOf({ ...value, bound }) });
}

async function tokenOf(role: SystemRole, options: Flags, until: string): Promise<object> {
  const bot = options.bot === undefined ? {} : { bot_name: options.bot };
  const common = { kind: "token", version: "v2" };
  const spec = { roles: [role], join_method: options.join_method, ...bot };
  if (options.join_method === "token")
    return { ...common, metadata: { name: randomToken(), expires: until }, spec };
  const name = options.name ?? `${options.type}-${randomToken(4)}`;
  const bound_keypair = await boundKeypair(options, until);
  return { ...common, metadata: { name }, spec: { ...spec, bound_keypair } };
}

function textOf(value: {
  token: string;
  role: string;
  expires: string;
  join_uri: string;
  command: string;
  bound: boolean;
}): string {
  const { token, role, expires, join_uri: uri, command, bound } = value;
  const use = command ? `\nTo use it, run there:\n\n  ${command}\n` : "";
  if (!bound)
    return `The token for ${role}, good for one join until ${expires}:\n\n  ${token}\n${use}`;
  const secret = expires ? `; keep it secret, it is good for one machine until ${expires}` : "";
  return `token/${token} created for ${role}\n\nJoin URI${secret}:\n\n  ${uri}\n${use}`;
}

/** Empty for what has no command of its own that joins. */
function commandFor(
  role: SystemRole,
  about: { uri: string; bound: boolean; token: string; entry: Entry; npx: string },
): string {
  const { uri, bound, token, entry, npx } = about;
  if (role === "Bot")
    return `${npx}tbot start identity --destination ./identity --join-uri '${uri}'`;
  if (role !== "App") return "";
  const start = `${npx}tenon app start --name NAME --uri http://localhost:8080`;
  if (bound) return `${start} --join-uri '${uri}'`;
  const pins = entry.caPins.map((pin) => ` --ca-pin ${pin}`).join("");
  return `${start} --proxy-server ${entry.address} --token ${token}${pins}`;
}
