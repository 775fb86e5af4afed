import type { Bot, Token } from "#domain/resources";
import type { Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { toStranger } from "../../refusal.ts";
import {
  firstJoin,
  isRepeat,
  readRecord,
  type StoredRecord,
} from "../../instances/attempt-record.ts";

/** What entitles a machine to its first join. */
export type Entitlement =
  | { readonly kind: "token"; readonly token: Token; readonly bot: Bot | undefined }
  /** The token was consumed by this very attempt, whose reply was lost. */
  | { readonly kind: "repeat"; readonly record: StoredRecord; readonly bot: Bot | undefined };

/**
 * 1. The token exists, is for this method and role, has not expired, and its bot exists; or it was
 * consumed by this attempt. A stranger cannot tell which of these failed.
 */
export async function entitlement(
  { resources, store, clock }: Pick<JoinDependencies, "resources" | "store" | "clock">,
  attempt: Attempt,
): Promise<Entitlement> {
  const token = await resources.get("token", attempt.token);
  const record = await readRecord({ store }, firstJoin(attempt.token));
  if (!token) return await repeated(resources, attempt, record);
  const { join_method, roles, bot_name } = token.spec;
  if (join_method !== "token") throw toStranger(`the token is for join method "${join_method}"`);
  if (!roles.includes(attempt.role))
    throw toStranger(`the token is for ${roles.join(", ")}, not for "${attempt.role}"`);
  const { expires } = token.metadata;
  if (expires !== undefined && Date.parse(expires) <= clock.now())
    throw toStranger(`the token expired at ${expires}`);
  return { kind: "token", token, bot: await botOf(resources, attempt, bot_name) };
}

async function repeated(
  resources: JoinDependencies["resources"],
  attempt: Attempt,
  record: StoredRecord | undefined,
): Promise<Entitlement> {
  if (!record) throw toStranger("there is no such token, or it was used long ago");
  if (!isRepeat(record.record, attempt))
    throw toStranger(`the token was used by attempt ${record.record.attempt_id}`);
  return { kind: "repeat", record, bot: await botOf(resources, attempt, record.record.bot) };
}

async function botOf(
  resources: JoinDependencies["resources"],
  attempt: Attempt,
  name: string | undefined,
): Promise<Bot | undefined> {
  if (attempt.role !== "Bot") return undefined;
  const bot = name ? await resources.get("bot", name) : undefined;
  if (!bot) throw toStranger(`the token's bot "${name ?? ""}" does not exist`);
  return bot;
}
