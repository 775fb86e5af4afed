import { didYouMean } from "#base/config";
import { badParameter } from "#base/kernel";
import type { IndexDefinition } from "#base/storage";
import type { z } from "zod";
import { appKind } from "./app.ts";
import { botInstanceKind } from "./bot-instance.ts";
import { botKind } from "./bot.ts";
import { certAuthorityKind } from "./cert-authority.ts";
import { clusterConfigKind } from "./cluster-config.ts";
import { dbKind } from "./db.ts";
import { kubeClusterKind } from "./kube-cluster.ts";
import { lockKind } from "./lock.ts";
import { nodeKind } from "./node.ts";
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
  node: nodeKind,
  app: appKind,
  db: dbKind,
  kube_cluster: kubeClusterKind,
  cert_authority: certAuthorityKind,
  cluster_config: clusterConfigKind,
} as const;

export type KindName = keyof typeof kinds;
/** A document of any kind that the house knows. */
export type AnyResource = z.output<(typeof kinds)[KindName]["schema"]>;
export type ResourceOf<K extends KindName> = Extract<AnyResource, { readonly kind: K }>;

/** What a store must index for the kinds of resources. */
export const storeIndexes: readonly IndexDefinition[] = Object.values(kinds).flatMap(
  (kind) => kind.indexes,
);

export const isKindName = (text: string): text is KindName => Object.hasOwn(kinds, text);

/** The kind that a person means by `bots` or `ca`; `bad_parameter` names the nearest. */
export function kindNamed(text: string): KindName {
  if (isKindName(text)) return text;
  const names = Object.keys(kinds).filter(isKindName);
  const aliased = names.find((name) => kinds[name].aliases.includes(text));
  if (aliased) return aliased;
  const words = names.flatMap((name) => [name, ...kinds[name].aliases]);
  throw badParameter(
    `"${text}" is not a kind of resource; allowed: ${names.join(", ")}${didYouMean(text, words)}`,
  );
}
