import { badParameter } from "#base/kernel";
import type { Caller } from "#domain/access";
import type { User } from "#domain/resources";
import { signInRemovals } from "#domain/sign-in";
import { checkNotOwned, ownerBot } from "./bot-owned.ts";
import { addedGrant, checkGrant } from "./grant-rules.ts";
import type { ChangeContext, KindRules } from "./kind-rules.ts";

export const userRules: KindRules<User> = {
  async prepare({ resource, existing }, context) {
    if (existing) checkNotOwned(existing);
    await checkRoles(resource.spec.roles, context);
    checkGrant(context.caller, addedGrant(existing?.spec, resource.spec));
    const createdBy = existing ? existing.spec.created_by : creatorOf(context.caller);
    return { resource: withCreator(resource, createdBy) };
  },
  async remove(user, { parts: { store, clock } }) {
    checkNotOwned(user);
    const also = await signInRemovals(store, user.metadata.name, clock);
    return { also, gone: [], tokens: 0, instances: 0 };
  },
};

/** Roles that are granted exist, and are not what a bot keeps for itself. */
export async function checkRoles(
  roles: readonly string[],
  { references }: Pick<ChangeContext, "references">,
): Promise<void> {
  for (const [index, name] of roles.entries()) {
    const where = `spec.roles[${index}]`;
    const bot = ownerBot(await references.require("role", name, where));
    if (bot !== undefined)
      throw badParameter(
        `${where}: role "${name}" belongs to bot "${bot}" and cannot be granted; grant the roles of the bot`,
      );
  }
}

/** How documents name their maker. */
export function creatorOf(caller: Caller): string {
  if (caller.kind === "user") return caller.identity.user;
  return caller.kind === "host" ? caller.identity.hostId : caller.kind;
}

function withCreator(user: User, createdBy: string | undefined): User {
  const { created_by: _, ...spec } = user.spec;
  return { ...user, spec: createdBy === undefined ? spec : { ...spec, created_by: createdBy } };
}
