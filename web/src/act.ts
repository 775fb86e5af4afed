import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, messageOf } from "./api/client.ts";

export interface Act {
  readonly busy: boolean;
  readonly error: string | undefined;
  /** It needs a second factor first; `run` again after that. */
  readonly requiresFactor: boolean;
  readonly run: () => void;
}

/** One change of something: runs once at a time, and asks again for everything of its kind. */
export function useAct(kind: string, change: () => Promise<unknown>, done: () => void): Act {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await change();
      await client.invalidateQueries({ queryKey: [kind] });
      done();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const requiresFactor = error instanceof ApiError && error.requiresFactor;
  return {
    busy,
    error: error === undefined || requiresFactor ? undefined : textOf(error),
    requiresFactor,
    run: () => void run(),
  };
}

function textOf(error: unknown): string {
  if (!(error instanceof ApiError)) return messageOf(error);
  return error.code === "compare_failed"
    ? `somebody else was first: ${error.message}`
    : error.message;
}
