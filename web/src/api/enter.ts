import { useState } from "react";
import { call, messageOf } from "./client.ts";

export interface Enter {
  readonly busy: boolean;
  readonly error: string | undefined;
  readonly enter: (path: string, answer: () => Promise<object>) => void;
}

/** One attempt at a time to get in; `done` hears who did. */
export function useEnter(done: (user: string) => void): Enter {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const enter = async (path: string, answer: () => Promise<object>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      done((await call<{ user: string }>("POST", path, await answer())).user);
    } catch (failure) {
      setError(messageOf(failure));
      setBusy(false);
    }
  };
  return { busy, error, enter: (path, answer) => void enter(path, answer) };
}
