import type { Write } from "#base/storage";
import type { Caller } from "#domain/access";
import type { AnyResource, KindName, ResourceOf } from "#domain/resources";
import { botRules } from "./bot-lifecycle.ts";
import { clusterConfigRules } from "./cluster-config-rules.ts";
import { lockRules } from "./lock-rules.ts";
import type { References } from "./references.ts";
import type { ResourceServiceParts } from "./call.ts";
import { roleRules } from "./role-rules.ts";
import { tokenRules } from "./token-lifecycle.ts";
import { userRules } from "./user-rules.ts";

/** A document on its way into the store, with the status and the server's labels that it has there. */
export interface Change<R extends AnyResource = AnyResource> {
  readonly resource: R;
  /** What it replaces. */
  readonly existing: R | undefined;
}

export interface ChangeContext {
  readonly caller: Caller;
  readonly remoteAddr: string;
  /** Nothing may be written. */
  readonly dryRun: boolean;
  readonly parts: ResourceServiceParts;
  readonly references: References;
}

/** What a kind makes of a change: the document to store, and what must be written with it. */
export interface Prepared<R extends AnyResource = AnyResource> {
  readonly resource: R;
  readonly also?: readonly Write[];
  readonly notices?: readonly string[];
}

/** What goes with a document that is deleted. */
export interface Removal {
  readonly also: readonly Write[];
  /** `kind/name` of everything else that goes. */
  readonly gone: readonly string[];
  readonly tokens: number;
  readonly instances: number;
}

export interface KindRules<R extends AnyResource> {
  /** Checks and completes; throws what is wrong. May run again when others write at the same time. */
  readonly prepare: (change: Change<R>, context: ChangeContext) => Promise<Prepared<R>>;
  /** Throws when it must stay. Without it the document goes alone. */
  readonly remove?: (resource: R, context: ChangeContext) => Promise<Removal>;
  /** After it went, as well as it can be done. */
  readonly removed?: (resource: R, context: ChangeContext) => Promise<void>;
}

/** What changes of each kind mean beyond the document; kinds without an entry have no such rules. */
const kindRules: { readonly [K in KindName]?: KindRules<ResourceOf<K>> } = {
  bot: botRules,
  cluster_config: clusterConfigRules,
  lock: lockRules,
  role: roleRules,
  token: tokenRules,
  user: userRules,
};

// A kind's rules take only its own documents; the key says which those are.
const rulesOf = (kind: KindName): KindRules<AnyResource> | undefined =>
  kindRules[kind] as KindRules<AnyResource> | undefined;

export async function prepareChange(change: Change, context: ChangeContext): Promise<Prepared> {
  const rules = rulesOf(change.resource.kind);
  return rules ? rules.prepare(change, context) : { resource: change.resource };
}

export async function prepareRemoval(
  resource: AnyResource,
  context: ChangeContext,
): Promise<Removal> {
  const remove = rulesOf(resource.kind)?.remove;
  return remove ? remove(resource, context) : nothingElse;
}

export async function afterRemoval(resource: AnyResource, context: ChangeContext): Promise<void> {
  await rulesOf(resource.kind)
    ?.removed?.(resource, context)
    .catch(() => undefined);
}

const nothingElse: Removal = { also: [], gone: [], tokens: 0, instances: 0 };
