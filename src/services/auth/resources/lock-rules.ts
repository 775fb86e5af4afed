import { didYouMean } from "#base/config";
import { mayVerb } from "#domain/access";
import type { Lock } from "#domain/resources";
import type { ChangeContext, KindRules } from "./kind-rules.ts";
import { creatorOf } from "./user-rules.ts";

export const lockRules: KindRules<Lock> = {
  async prepare({ resource, existing }, context) {
    const { created_at, created_by } = existing?.spec ?? {
      created_at: new Date(context.parts.clock.now()).toISOString(),
      created_by: creatorOf(context.caller),
    };
    return {
      resource: { ...resource, spec: { ...resource.spec, created_at, created_by } },
      notices: await targetNotices(resource, context),
    };
  },
};

/** A lock on nobody is allowed, and is probably a misspelling. Only who may list names is told. */
async function targetNotices(
  { spec }: Lock,
  { parts, caller }: ChangeContext,
): Promise<readonly string[]> {
  const notices = (["user", "role"] as const).map(async (kind) => {
    const name = spec.target[kind];
    if (!name || !mayVerb(caller, kind, "list")) return [];
    if (await parts.resources.get(kind, name)) return [];
    const near = didYouMean(name, await parts.resources.names(kind));
    return [`there is no ${kind} "${name}"${near}; the lock is for one that may come`];
  });
  return (await Promise.all(notices)).flat();
}
