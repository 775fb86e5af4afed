import type { Bot, Token } from "#domain/resources";
import { ownHostIdentity, ownIdentity, type Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { toStranger } from "../../refusal.ts";
import { policyOf, type Policy } from "./policy.ts";

/** A token that step 1 let through, with what the later steps read of it. */
export interface Eligible {
  readonly token: Token;
  readonly policy: Policy;
  /** For role Bot. */
  readonly bot: Bot | undefined;
  /** Whether the client's own certificate shows that it has joined by this token. */
  readonly member: boolean;
}

/**
 * 1. "Token exists, is for this method, not expired, and its `bot_name` exists. A stranger cannot
 * tell which of these failed."
 */
export async function eligibleToken(
  { resources, clock }: Pick<JoinDependencies, "resources" | "clock">,
  attempt: Attempt,
): Promise<Eligible> {
  const token = await resources.get("token", attempt.token);
  if (!token) throw toStranger("there is no such token");
  const { join_method, roles, bot_name } = token.spec;
  const policy = policyOf(token);
  if (!policy) throw toStranger(`the token is for join method "${join_method}"`);
  if (!roles.includes(attempt.role))
    throw toStranger(`the token is for ${roles.join(", ")}, not for "${attempt.role}"`);
  const { expires } = token.metadata;
  if (expires !== undefined && Date.parse(expires) <= clock.now())
    throw toStranger(`the token expired at ${expires}`);
  if (attempt.role !== "Bot") {
    const member = ownHostIdentity(attempt)?.hostId === attempt.host.hostId;
    return { token, policy, bot: undefined, member };
  }
  const bot = bot_name ? await resources.get("bot", bot_name) : undefined;
  if (!bot) throw toStranger(`the token's bot "${bot_name ?? ""}" does not exist`);
  return { token, policy, bot, member: ownIdentity(attempt)?.botName === bot.metadata.name };
}
