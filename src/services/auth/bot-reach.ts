import { decideOpen, type Holder, type OpenableKind } from "#domain/access";
import { MAX_EXAMINED, type Resources, type Role } from "#domain/resources";
import type { GetBotAccessResponse_ResourceSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { openables, opens, type Openable } from "./openable.ts";

/** Of one kind; what has a connection open now comes beside. */
const MAX_SHOWN = 10;

export type Roles = Holder;
type Reached = MessageInitShape<typeof GetBotAccessResponse_ResourceSchema>;

/** What a bot reaches of one kind, and how much there is of it. */
export async function reachedOf(
  resources: Resources,
  kind: OpenableKind,
  { used, ...holder }: Roles & { readonly used: ReadonlySet<string> },
): Promise<{ shown: Reached[]; total: { kind: string; count: number; partial: boolean } }> {
  const shown: Reached[] = [];
  let [count, examined, others] = [0, 0, 0];
  for await (const openable of openables(resources, kind)) {
    examined += 1;
    if (examined > MAX_EXAMINED) return { shown, total: { kind, count, partial: true } };
    const reach = reachOf(holder, openable);
    if (!reach) continue;
    count += 1;
    const inUse = kind === "app" && used.has(openable.name);
    if (!inUse && others >= MAX_SHOWN) continue;
    if (!inUse) others += 1;
    shown.push({ kind, name: openable.name, ...reach });
  }
  return { shown, total: { kind, count, partial: false } };
}

/**
 * A bot asks with all of its roles or with some: so it reaches what those of its roles open together
 * that deny nothing of it.
 */
function reachOf(
  { roles, traits }: Holder,
  openable: Openable,
): Pick<Reached, "roles" | "together" | "deniedBy"> | undefined {
  const judged = roles.map((role) => judge({ role, traits }, openable));
  const willing = judged.filter(({ denies }) => !denies);
  if (!opens({ roles: willing.map(({ role }) => role), traits }, openable)) return undefined;
  const alone = willing.filter(({ opensAll }) => opensAll);
  const needed = alone.length > 0 ? alone : willing.filter(({ opensSome }) => opensSome);
  return {
    roles: needed.map(nameOf),
    together: alone.length === 0,
    deniedBy: judged.filter(({ denies }) => denies).map(nameOf),
  };
}

interface Judged {
  readonly role: Role;
  readonly denies: boolean;
  readonly opensAll: boolean;
  readonly opensSome: boolean;
}

/** What one role alone says. */
function judge(
  { role, traits }: { readonly role: Role; readonly traits: Holder["traits"] },
  { documents }: Openable,
): Judged {
  const decisions = documents.map(({ kind, metadata }) =>
    decideOpen(kind, { roles: [role], traits }, metadata.labels),
  );
  return {
    role,
    denies: decisions.some((decision) => !decision.allowed && decision.denied),
    opensAll: decisions.every(({ allowed }) => allowed),
    opensSome: decisions.some(({ allowed }) => allowed),
  };
}

const nameOf = ({ role }: Judged): string => role.metadata.name;
