import { kinds, type AnyResource } from "#domain/resources";
import * as z from "zod";

/** A document of whichever kind its `kind` says. */
export function anyKind(): z.ZodType<AnyResource> {
  const [first, ...others] = Object.values(kinds).map(({ schema }) => schema);
  // Every kind's schema is an object whose `kind` is a literal, which its declared type does not tell.
  return z.discriminatedUnion("kind", [first, ...others] as unknown as [
    z.ZodObject,
  ]) as unknown as z.ZodType<AnyResource>;
}
