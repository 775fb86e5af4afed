import { Badge } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useAllowed } from "../api/access.ts";
import { allLocks } from "../api/queries.ts";
import type { Lock, Token } from "../api/types.ts";

const tones: Readonly<Record<string, "good" | "warn" | "bad" | "soft">> = {
  bound: "good",
  reset: "warn",
  "rotation due": "warn",
  unused: "soft",
};

/** How a bound key stands; a lock that keeps its machine out comes before all else. */
export function TokenState({ token }: { token: Token }): ReactElement {
  const enabled = useAllowed("lock", "list");
  const { data } = useQuery({ ...allLocks(""), enabled });
  if (data && isLocked(token, data.items)) return <Badge tone="bad">locked</Badge>;
  const state = token.state ?? "";
  return state === "" ? (
    <span className="soft">—</span>
  ) : (
    <Badge tone={tones[state] ?? "soft"}>{state}</Badge>
  );
}

export function isLocked(token: Token, locks: readonly Lock[]): boolean {
  const targets = new Set(token.lock_targets ?? []);
  return locks.some((lock) => inForce(lock) && keysOf(lock).some((key) => targets.has(key)));
}

const keysOf = ({ key, targets }: Lock): readonly string[] =>
  key === undefined ? Object.entries(targets).map(([target, name]) => `${target}:${name}`) : [key];

export const inForce = ({ expires }: Pick<Lock, "expires">): boolean =>
  expires === "" || Date.parse(expires) > Date.now();
