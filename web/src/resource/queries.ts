import { queryOptions } from "@tanstack/react-query";
import { call, named, query, site } from "../api/client.ts";
import type { Document, Lock, Page } from "../api/types.ts";

/** A document as people read it: what may be changed, and apart from it what the server owns. */
export interface Written {
  readonly name: string;
  readonly yaml: string;
  readonly status: string;
  readonly revision: string;
  readonly has_secrets: boolean;
}

const pathOf = (kind: string, name: string): string => `${site}/resources/${named(kind, name)}`;

export const writtenOf = (kind: string, name: string, secrets: "hidden" | "shown") =>
  queryOptions({
    queryKey: [kind, "written", name, secrets],
    // Changes of tokens come without names, which may be secrets.
    ...(kind === "token" ? {} : { meta: { about: name } }),
    queryFn: () => call<Written>("GET", `${pathOf(kind, name)}/yaml${query({ secrets })}`),
    retry: false,
    // What is shown once is not kept for those who come later.
    ...(secrets === "shown" ? { gcTime: 0 } : {}),
  });

export const documentOf = (kind: string, name: string) =>
  queryOptions({
    queryKey: [kind, "document", name],
    queryFn: () => call<Document>("GET", pathOf(kind, name)),
    retry: false,
  });

/** Documents of a kind in which a field has this value: the users of a role. */
export const withField = (kind: string, field: string, value: string) =>
  queryOptions({
    queryKey: [kind, "with", field, value],
    queryFn: () =>
      call<Page<Document>>(
        "GET",
        `${site}/resources/${named(kind)}${query({ field: `${field}:${value}`, limit: MOST_SHOWN })}`,
      ),
    retry: false,
  });

/** More would help nobody on one page: the list of the kind has them all. */
const MOST_SHOWN = 100;

export const locksOnTargets = (targets: readonly string[]) =>
  queryOptions({
    queryKey: ["lock", "on", targets],
    queryFn: async () => {
      const path = `${site}/locks${query({ in_force_only: true, target: targets.join(",") })}`;
      return (await call<{ items: readonly Lock[] }>("GET", path)).items;
    },
    retry: false,
  });

export interface Openers {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Whether these allow it hangs on the traits of whoever asks. */
  readonly by_traits: readonly string[];
}

export const openersOf = (kind: string, name: string) =>
  queryOptions({
    queryKey: ["role", "openers", kind, name],
    queryFn: () => call<Openers>("GET", `${pathOf(kind, name)}/openers`),
    retry: false,
  });
