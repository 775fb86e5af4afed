import { actorOf } from "#domain/audit";
import { badParameter } from "#base/kernel";
import { BOT_LABEL } from "#domain/resources";
import type { InviteUserRequest, InviteUserResponseSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthCall, AuthParts } from "./parts.ts";
import { addedGrant, checkGrant } from "./resources/grant-rules.ts";

/**
 * Beside the right to update users, which the table asks for, the caller needs what the user has:
 * whoever opens the link becomes the user.
 */
export async function inviteUser(
  { resources, signIn }: AuthParts,
  { user: name, recovery }: Pick<InviteUserRequest, "user" | "recovery">,
  { caller, remoteAddr }: AuthCall,
): Promise<MessageInitShape<typeof InviteUserResponseSchema>> {
  const user = await resources.require("user", name);
  if (user.metadata.labels[BOT_LABEL] !== undefined)
    throw badParameter(`user "${name}" belongs to a bot, which joins and does not sign in`);
  checkGrant(caller, addedGrant(undefined, user.spec));
  const purpose = recovery ? "recovery" : "invitation";
  const by = { actor: actorOf(caller), remoteAddr };
  const { url, expires } = await signIn.invite({ user: name, purpose }, by);
  return { url, expires: BigInt(expires) };
}
