import type { AnyResource } from "./kinds.ts";

/** When a document vanishes by itself, milliseconds since the epoch: a lock does when it ends. */
export function expiryOf(resource: AnyResource): number | undefined {
  const ends = [
    resource.metadata.expires,
    resource.kind === "lock" ? resource.spec.expires : undefined,
  ]
    .filter((time) => time !== undefined)
    .map((time) => Date.parse(time));
  return ends.length > 0 ? Math.min(...ends) : undefined;
}
