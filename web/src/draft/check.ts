import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call, named, site } from "../api/client.ts";
import type { Document } from "../api/types.ts";

export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

export interface Checked {
  readonly faults: readonly Fault[];
  readonly document?: Document;
  readonly notices: readonly string[];
  readonly refused?: { readonly code: string; readonly message: string } | undefined;
}

/** A text, and the document that it is to replace: without a revision it is a new one. */
export interface Draft {
  readonly kind: string;
  readonly yaml: string;
  readonly name?: string | undefined;
  readonly revision?: string | undefined;
}

export const checked = ({ kind, ...draft }: Draft) =>
  queryOptions({
    queryKey: ["draft", kind, draft],
    queryFn: () => call<Checked>("POST", `${site}/resources/${named(kind)}/validate`, draft),
    retry: false,
    staleTime: 5_000,
    gcTime: 10_000,
  });

/** What is typed is looked at once the typing pauses. */
const PAUSE_MS = 350;

/** What the cluster says to the draft as it stands, by the parser that takes it when it is saved. */
export function useChecked(draft: Draft): { checked: Checked; current: boolean; error: unknown } {
  const [yaml, setYaml] = useState(draft.yaml);
  useEffect(() => {
    const timer = setTimeout(() => setYaml(draft.yaml), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft.yaml]);
  const { data, error, isPlaceholderData } = useQuery({
    ...checked({ ...draft, yaml }),
    placeholderData: keepPreviousData,
  });
  const current = data !== undefined && !isPlaceholderData && yaml === draft.yaml;
  return { checked: data ?? nothingYet, current, error };
}

export const nothingYet: Checked = { faults: [], notices: [] };
