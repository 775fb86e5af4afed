import { appKind } from "./app.ts";
import { botInstanceKind } from "./bot-instance.ts";
import { botKind } from "./bot.ts";
import { certAuthorityKind } from "./cert-authority.ts";
import { clusterConfigKind } from "./cluster-config.ts";
import { lockKind } from "./lock.ts";
import { roleKind } from "./role.ts";
import { tokenKind } from "./token.ts";
import { userKind } from "./user.ts";

/** Every kind of resource, by name: the one list. */
export const kinds = {
  user: userKind,
  role: roleKind,
  bot: botKind,
  bot_instance: botInstanceKind,
  token: tokenKind,
  lock: lockKind,
  app: appKind,
  cert_authority: certAuthorityKind,
  cluster_config: clusterConfigKind,
} as const;

export type KindName = keyof typeof kinds;
export type ResourceOf<K extends KindName> = (typeof kinds)[K] extends {
  schema: { _zod: { output: infer R } };
}
  ? R
  : never;
