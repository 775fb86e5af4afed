import { badParameter } from "#base/kernel";

/** A word of a request; `bad_parameter` names those that are allowed. */
export function oneOf<T extends string>(what: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined)
    throw badParameter(`${what} "${text}" is unknown; use ${allowed.join(", ")}`);
  return found;
}
