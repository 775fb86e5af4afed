import { queryOptions } from "@tanstack/react-query";
import { call, named, query, site } from "../api/client.ts";

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
    queryFn: () => call<Written>("GET", `${pathOf(kind, name)}/yaml${query({ secrets })}`),
    retry: false,
    // What is shown once is not kept for those who come later.
    ...(secrets === "shown" ? { gcTime: 0 } : {}),
  });
