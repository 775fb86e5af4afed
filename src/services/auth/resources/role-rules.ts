import { badParameter } from "#base/kernel";
import { isBuiltinRole } from "#domain/access";
import { exactly, type Resources, type Role } from "#domain/resources";
import { titleOf } from "./documents.ts";
import { checkNotOwned } from "./bot-owned.ts";
import type { KindRules } from "./kind-rules.ts";

export const roleRules: KindRules<Role> = {
  async prepare({ resource, existing }, { references }) {
    if (existing) checkNotOwned(existing);
    for (const [index, name] of resource.spec.allow.impersonate.roles.entries()) {
      const itself = name === resource.metadata.name;
      if (!itself && !name.includes("*"))
        await references.require("role", name, `spec.allow.impersonate.roles[${index}]`);
    }
    return { resource };
  },
  async remove(role, { parts }) {
    const { name } = role.metadata;
    checkNotOwned(role);
    if (isBuiltinRole(name))
      throw badParameter(`role "${name}" comes with the cluster and cannot be deleted; edit it`);
    const holders = await holdersOf(parts.resources, name);
    if (holders.length > 0)
      throw badParameter(
        `role "${name}" is still granted to ${holders.join(", ")}; take it from them first`,
      );
    return { also: [], gone: [], tokens: 0, instances: 0 };
  },
};

/** More would not help whoever reads the message. */
const MAX_SHOWN = 5;

async function holdersOf(resources: Resources, role: string): Promise<readonly string[]> {
  const bots = await resources.first("bot", MAX_SHOWN, exactly("role", role));
  const users = await resources.first("user", MAX_SHOWN, exactly("role", role));
  return [...bots, ...users].slice(0, MAX_SHOWN).map(titleOf);
}
