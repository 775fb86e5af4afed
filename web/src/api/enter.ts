import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { messageOf } from "./client.ts";

export interface Enter {
  readonly busy: boolean;
  readonly error: string | undefined;
  readonly enter: (attempt: () => Promise<unknown>) => void;
}

/** One attempt at a time to get in; nothing that another person saw is kept. */
export function useEnter(): Enter {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const enter = async (attempt: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await attempt();
      client.clear();
      await navigate({ to: "/" });
    } catch (failure) {
      setError(messageOf(failure));
      setBusy(false);
    }
  };
  return { busy, error, enter: (attempt) => void enter(attempt) };
}
