import { mayVerb } from "#domain/access";
import { actorOf } from "#domain/audit";
import { resetToken } from "#domain/join";
import type {
  ResetBoundKeypairRequest,
  ResetBoundKeypairResponseSchema,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthCall, AuthParts } from "./parts.ts";
import { botGrant, checkGrant } from "./resources/grant-rules.ts";

/**
 * Beside the right to update tokens, which the table asks for, the caller needs what the bot has: like
 * a token, a reset makes the holder of a key the bot.
 */
export async function resetBoundKeypair(
  parts: AuthParts,
  { token: name }: Pick<ResetBoundKeypairRequest, "token">,
  { caller, remoteAddr }: AuthCall,
): Promise<MessageInitShape<typeof ResetBoundKeypairResponseSchema>> {
  const { resources } = parts;
  const token = await resources.get("token", name);
  if (!token) throw await resources.missing("token", name, mayVerb(caller, "token", "list"));
  const { bot_name: botName } = token.spec;
  const bot = botName === undefined ? undefined : await resources.get("bot", botName);
  if (bot) checkGrant(caller, botGrant(bot));
  const { locks, until = 0 } = await resetToken(parts, name, {
    actor: actorOf(caller),
    remoteAddr,
  });
  return { locks: [...locks], until: BigInt(until) };
}
