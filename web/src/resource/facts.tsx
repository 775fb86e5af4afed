import type { ComponentType } from "react";
import type { Document } from "../api/types.ts";
import { AppFacts } from "./app.tsx";
import { LockFacts } from "./lock.tsx";
import { OpenableFacts } from "./openable.tsx";
import { PlainFacts } from "./plain.tsx";
import { RoleFacts } from "./role.tsx";
import { TokenFacts } from "./token.tsx";
import { UserFacts } from "./user.tsx";

export interface FactsProps {
  readonly document: Document;
}

const facts: Readonly<Record<string, ComponentType<FactsProps>>> = {
  app: AppFacts,
  db: OpenableFacts,
  kube_cluster: OpenableFacts,
  node: OpenableFacts,
  lock: LockFacts,
  role: RoleFacts,
  token: TokenFacts,
  user: UserFacts,
};

/** What a kind says in words; one that has no words of its own is shown field by field. */
export const factsOf = (kind: string): ComponentType<FactsProps> =>
  Object.hasOwn(facts, kind) ? facts[kind]! : PlainFacts;
