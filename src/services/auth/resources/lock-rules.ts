import type { Lock } from "#domain/resources";
import type { KindRules } from "./kind-rules.ts";
import { creatorOf } from "./user-rules.ts";

export const lockRules: KindRules<Lock> = {
  async prepare({ resource, existing }, { caller, parts }) {
    const made = existing?.spec ?? {
      created_at: new Date(parts.clock.now()).toISOString(),
      created_by: creatorOf(caller),
    };
    const { created_at, created_by } = made;
    return { resource: { ...resource, spec: { ...resource.spec, created_at, created_by } } };
  },
};
