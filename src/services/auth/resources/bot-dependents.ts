import { durationMs } from "#base/config";
import type { Write } from "#base/storage";
import { actorOf } from "#domain/audit";
import {
  CLUSTER_CONFIG_NAME,
  deleteOf,
  exactly,
  lockKind,
  tokenDisplayName,
  writeOf,
  type BotInstance,
  type Resources,
  type Token,
} from "#domain/resources";
import { commitOrConflict } from "./conflict.ts";
import type { ChangeContext, Removal } from "./kind-rules.ts";

/** With two writes for each, beside the bot's own, still one batch of the store. */
const MAX_AT_ONCE = 400;
/** What an answer of some hundred KiB can name. */
const MAX_NAMED = 5_000;

interface Dependents {
  readonly tokens: readonly Token[];
  readonly instances: readonly BotInstance[];
  readonly more: boolean;
}

/**
 * The tokens and instances of a bot go: the last batch of them is for the caller's own commit, what
 * would not fit in there is committed before, while `guard` holds. A crash in between leaves the bot
 * with fewer of them, and deleting it again goes on.
 */
export async function clearDependents(
  bot: string,
  guard: Write,
  context: ChangeContext,
): Promise<Removal> {
  const { resources, store } = context.parts;
  const cleared = { gone: [] as string[], tokens: 0, instances: 0 };
  for (;;) {
    const batch = await firstDependents(bot, resources);
    const also = await writesOf(batch, context);
    cleared.tokens += batch.tokens.length;
    cleared.instances += batch.instances.length;
    cleared.gone.push(...namesOf(batch).slice(0, MAX_NAMED - cleared.gone.length));
    if (!batch.more || context.dryRun) return { also, ...cleared };
    await commitOrConflict(store, [guard, ...also]);
  }
}

/**
 * After the bot went: what was made for it while it was going. Nothing more can follow, because the
 * bot is a condition of making it. What a failure leaves here serves nobody, and goes when a bot of
 * the name is created again.
 */
export async function sweepLeftovers(bot: string, context: ChangeContext): Promise<void> {
  const guard: Write = { op: "check", kind: "bot", name: bot, revision: null };
  const { also } = await clearDependents(bot, guard, context);
  if (also.length > 0) await commitOrConflict(context.parts.store, [guard, ...also]);
}

/** Tokens first: without them no instance is added. */
async function firstDependents(bot: string, resources: Resources): Promise<Dependents> {
  const range = exactly("bot_name", bot);
  const tokens = await resources.first("token", MAX_AT_ONCE + 1, range);
  const instances = await resources.first("bot_instance", MAX_AT_ONCE + 1, range);
  const room = Math.max(0, MAX_AT_ONCE - tokens.length);
  return {
    tokens: tokens.slice(0, MAX_AT_ONCE),
    instances: instances.slice(0, room),
    more: tokens.length > MAX_AT_ONCE || instances.length > room,
  };
}

const namesOf = ({ tokens, instances }: Dependents): readonly string[] => [
  ...tokens.map((token) => `token/${tokenDisplayName(token)}`),
  ...instances.map(({ metadata }) => `bot_instance/${metadata.name}`),
];

async function writesOf(
  { tokens, instances }: Dependents,
  context: ChangeContext,
): Promise<readonly Write[]> {
  const lifetime = instances.length > 0 ? await lifetimeMs(context.parts.resources) : 0;
  return [
    ...tokens.flatMap((token) => [deleteOf(token), tokenEvent(token, context)]),
    ...instances.flatMap((instance) => [
      unconditional(instance),
      ...cutOff(instance, lifetime, context),
    ]),
  ];
}

function tokenEvent(token: Token, { caller, remoteAddr, parts }: ChangeContext): Write {
  const { join_method, bot_name } = token.spec;
  return parts.audit.write({
    type: "token.delete",
    actor: actorOf(caller),
    remoteAddr,
    fields: { name: tokenDisplayName(token), join_method, ...(bot_name ? { bot: bot_name } : {}) },
  });
}

/** Heartbeats write to instances all the time, and do not keep one alive. */
const unconditional = ({ kind, metadata }: BotInstance): Write => ({
  op: "delete",
  kind,
  name: metadata.name,
});

/** How long a certificate of a bot, or one that it asked for, can still be valid after it joined. */
async function lifetimeMs(resources: Resources): Promise<number> {
  const config = await resources.get("cluster_config", CLUSTER_CONFIG_NAME);
  if (!config) return 0;
  const { max_bot_identity_ttl, max_credential_ttl } = config.spec;
  return durationMs(max_bot_identity_ttl) + durationMs(max_credential_ttl);
}

/** Certificates outlive the bot; a lock on its instance ends what they opened at once. */
function cutOff(
  { spec, status }: BotInstance,
  lifetime: number,
  { parts }: ChangeContext,
): readonly Write[] {
  const last = status?.latest_authentications.at(-1)?.time;
  const ends = last === undefined ? 0 : Date.parse(last) + lifetime;
  const now = parts.clock.now();
  if (ends <= now) return [];
  const lock = lockKind.schema.parse({
    kind: "lock",
    version: lockKind.version,
    metadata: { name: `deleted-${spec.instance_id}` },
    spec: {
      target: { bot_instance_id: spec.instance_id },
      message: `bot "${spec.bot_name}" was deleted`,
      expires: new Date(ends).toISOString(),
      created_at: new Date(now).toISOString(),
      created_by: "system",
    },
  });
  return [writeOf(lock, "put")];
}
