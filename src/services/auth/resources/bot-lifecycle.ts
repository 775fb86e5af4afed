import { alreadyExists } from "#base/kernel";
import type { Write } from "#base/storage";
import {
  BOT_LABEL,
  botTraits,
  botUserName,
  deleteOf,
  roleKind,
  userKind,
  writeOf,
  type Bot,
  type Role,
  type User,
} from "#domain/resources";
import { clearDependents, sweepLeftovers } from "./bot-dependents.ts";
import { ownerBot } from "./bot-owned.ts";
import { addedGrant, botGrant, checkGrant } from "./grant-rules.ts";
import type { ChangeContext, KindRules } from "./kind-rules.ts";
import { keyOf } from "./documents.ts";
import { checkRoles, creatorOf } from "./user-rules.ts";

/**
 * A bot is one document to its administrator and three to the cluster: the bot, the user that its
 * certificates name, and the role that lets this user impersonate exactly the bot's roles. They
 * change in one commit, and go in one, with the bot's tokens and instances.
 */
export const botRules: KindRules<Bot> = {
  async prepare({ resource, existing }, context) {
    await checkRoles(resource.spec.roles, context);
    checkGrant(context.caller, addedGrant(existing && botGrant(existing), botGrant(resource)));
    const leftovers = existing ? [] : await leftoversOf(resource, context);
    const name = botUserName(resource.metadata.name);
    const { created_at, created_by } = existing ? (existing.status ?? {}) : madeNow(context);
    return {
      resource: {
        ...resource,
        status: { user_name: name, role_name: name, created_at, created_by },
      },
      also: [
        await ownWrite(userOf(resource), context),
        await ownWrite(roleOf(resource), context),
        ...leftovers,
      ],
    };
  },

  async remove(bot, context) {
    const { name, revision } = bot.metadata;
    const guard: Write = { op: "check", kind: "bot", name, revision: revision ?? null };
    const cleared = await clearDependents(name, guard, context);
    const owned = await ownedBy(bot, context);
    return {
      ...cleared,
      also: [...owned.map(deleteOf), ...cleared.also],
      gone: [...owned.map(keyOf), ...cleared.gone],
    };
  },

  removed: (bot, context) => sweepLeftovers(bot.metadata.name, context),
};

const madeNow = ({ parts, caller }: ChangeContext) => ({
  created_at: new Date(parts.clock.now()).toISOString(),
  created_by: creatorOf(caller),
});

/** A bot that was deleted while someone made a token for it may have left that behind. */
async function leftoversOf(bot: Bot, context: ChangeContext): Promise<readonly Write[]> {
  const guard: Write = { op: "check", kind: "bot", name: bot.metadata.name, revision: null };
  return (await clearDependents(bot.metadata.name, guard, context)).also;
}

/** Only the user and role that this bot made may be written over. */
async function ownWrite(own: User | Role, { parts }: ChangeContext): Promise<Write> {
  const { kind, metadata } = own;
  const there = await parts.resources.get(kind, metadata.name);
  if (!there) return writeOf(own, "create");
  if (ownerBot(there) === ownerBot(own)) return writeOf(own, "put");
  throw alreadyExists(
    `${kind} "${metadata.name}" already exists and is not this bot's; rename the bot or delete the ${kind}`,
  );
}

async function ownedBy(bot: Bot, { parts }: ChangeContext): Promise<readonly (User | Role)[]> {
  const name = botUserName(bot.metadata.name);
  const user = await parts.resources.get("user", name);
  const role = await parts.resources.get("role", name);
  return [user, role]
    .filter((own) => own !== undefined)
    .filter((own) => ownerBot(own) === bot.metadata.name);
}

function userOf(bot: Bot): User {
  return userKind.schema.parse({
    kind: "user",
    version: userKind.version,
    metadata: ownMetadata(bot),
    spec: {
      roles: [botUserName(bot.metadata.name)],
      traits: botTraits(bot),
      created_by: `bot:${bot.metadata.name}`,
    },
  });
}

function roleOf(bot: Bot): Role {
  return roleKind.schema.parse({
    kind: "role",
    version: roleKind.version,
    metadata: ownMetadata(bot),
    spec: {
      allow: { impersonate: { roles: bot.spec.roles } },
      options: { max_session_ttl: bot.spec.max_session_ttl },
    },
  });
}

/** They end with the bot, too. */
function ownMetadata({ metadata }: Bot): User["metadata"] {
  return {
    name: botUserName(metadata.name),
    labels: { [BOT_LABEL]: metadata.name },
    description: `Belongs to bot ${metadata.name} and follows it`,
    ...(metadata.expires ? { expires: metadata.expires } : {}),
  };
}
