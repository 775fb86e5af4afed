import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

/** On the window, when an answer or the stream says that nobody is signed in any more; why, for the person. */
const OVER = "tenon-over";

export const tellOver = (why: string): void =>
  void window.dispatchEvent(new CustomEvent(OVER, { detail: why }));

export interface Over {
  readonly why: string;
  /** Something was being typed: it stays, out of sight, until somebody is signed in again. */
  readonly keep: boolean;
}

export interface Watched {
  readonly over: Over | undefined;
  /** Raised when somebody else came back: nothing of the page before is shown. */
  readonly turn: number;
  readonly back: (user: string) => void;
}

/** Whether the session of `user` is over, from the first word of it until somebody is signed in again. */
export function useOver(user: string | undefined): Watched {
  const client = useQueryClient();
  const [over, setOver] = useState<Over>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const ended = (event: Event): void =>
      setOver((known) => known ?? { why: (event as CustomEvent<string>).detail, keep: isTyped() });
    window.addEventListener(OVER, ended);
    return () => window.removeEventListener(OVER, ended);
  }, []);
  const back = (entered: string): void => {
    const same = entered === user;
    if (!same) setTurn(turn + 1);
    setOver(undefined);
    void (same ? client.invalidateQueries() : client.resetQueries());
  };
  return { over, turn, back };
}

const isTyped = (): boolean =>
  document.querySelector("dialog[open], main form, main textarea") !== null;
