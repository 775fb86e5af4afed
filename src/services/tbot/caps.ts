import { accessDenied } from "#base/kernel";
import type { ServiceConfiguration } from "./configuration.ts";
import { canonicalType } from "./names.ts";

/** What whoever spawns may ask for; absent or empty: whatever the bot may. */
export interface SpawnCaps {
  readonly types?: readonly string[];
  readonly roles?: readonly string[];
}

/** Fields that say what a service (or what it spawns in turn) is held to; empty means no limit. */
const held = { roles: "roles", allowed_roles: "roles", allowed_types: "types" } as const;

/**
 * The list as the caps allow it: a service that names no roles gets those of the caps. Throws one
 * `access_denied` with everything that is beyond them.
 */
export function withinCaps(
  list: readonly ServiceConfiguration[],
  caps: SpawnCaps,
): readonly ServiceConfiguration[] {
  const faults = list.flatMap((service, index) =>
    excesses(service, caps).map((excess) => `[${index}].${excess}`),
  );
  if (faults.length > 0) throw accessDenied(faults.join("\n"));
  return list.map((service) => ({ ...service, ...fillings(service, caps) }));
}

function excesses(service: ServiceConfiguration, caps: SpawnCaps): string[] {
  const { type } = service;
  const { types = [], roles = [] } = caps;
  if (types.length > 0 && !types.includes(type))
    return [`type: "${type}" is not allowed here; allowed: ${types.join(", ")}`];
  if (roles.length > 0 && !("roles" in service) && !("allowed_roles" in service))
    return [
      `type: "${type}" cannot be held to the roles ${roles.join(", ")}, which are all that is allowed here`,
    ];
  return fieldsOf(service, caps).flatMap(({ field, wanted, allowed }) =>
    wanted
      .filter((each) => !allowed.includes(each))
      .map((each) => `${field}: "${each}" is not allowed here; allowed: ${allowed.join(", ")}`),
  );
}

function fillings(service: ServiceConfiguration, caps: SpawnCaps): object {
  const empty = fieldsOf(service, caps).filter(({ wanted }) => wanted.length === 0);
  return Object.fromEntries(empty.map(({ field, allowed }) => [field, [...allowed]]));
}

function fieldsOf(service: ServiceConfiguration, caps: SpawnCaps) {
  return Object.entries(held).flatMap(([field, kind]) => {
    const wanted: unknown = new Map<string, unknown>(Object.entries(service)).get(field);
    const allowed = caps[kind] ?? [];
    if (!Array.isArray(wanted) || allowed.length === 0) return [];
    const names = wanted as readonly string[];
    return [{ field, wanted: kind === "types" ? names.map(canonical) : names, allowed }];
  });
}

const canonical = (type: string): string => canonicalType(type) ?? type;
