import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useAct, type Act } from "../act.ts";
import { ApiError, call, named, site } from "../api/client.ts";
import type { Document } from "../api/types.ts";
import { checked, type Draft } from "./check.ts";

interface Saved {
  readonly document: Document;
  readonly notices: readonly string[];
}

export interface Saving extends Act {
  /** Somebody else was first; what was typed is still there. */
  readonly overtaken: boolean;
}

/** Writes the draft: the document that the cluster read from the text, over the revision that was read. */
export function useSave(draft: Draft, saved: (document: Document) => void): Saving {
  const client = useQueryClient();
  const [stale, setStale] = useState<string>();
  const path = `${site}/resources/${named(draft.kind)}`;
  const save = async (): Promise<void> => {
    const { document, faults, refused } = await client.fetchQuery({
      ...checked(draft),
      staleTime: 0,
    });
    if (faults.length > 0) throw new Error(countOf(faults.length));
    if (refused?.code === "compare_failed") return setStale(draft.revision);
    if (refused || !document) throw new Error(refused?.message ?? "nothing was read");
    const method = draft.revision === undefined ? "POST" : "PUT";
    try {
      const { document: written } = await call<Saved>(method, path, document);
      saved(written);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "compare_failed") throw error;
      setStale(draft.revision);
    }
  };
  const overtaken = stale !== undefined && stale === draft.revision;
  return { ...useAct(draft.kind, save, () => {}), overtaken };
}

const countOf = (faults: number): string =>
  faults === 1
    ? "nothing was written: there is a fault in it, marked above"
    : `nothing was written: there are ${faults} faults in it, marked above`;
