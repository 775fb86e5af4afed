import type { LinkProps } from "@tanstack/react-router";
import type { AccessGraph, Session } from "../api/types.ts";
import { bytesText, counted } from "../format.ts";

/** What is drawn, column by column: who, by which roles, what, and what is open now. */
export const columns = ["bot", "role", "resource", "session"] as const;
export type ColumnName = (typeof columns)[number];

export interface Node {
  readonly id: string;
  readonly column: ColumnName;
  readonly title: string;
  /** A word on what it is. */
  readonly about: string;
  /** How it hangs together with others: what the lines say. */
  readonly relation: string;
  readonly link: Pick<LinkProps, "to" | "params" | "search">;
  /** It does not work now. */
  readonly off: boolean;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly off: boolean;
}

export interface Drawn {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

export const kindTitles: Readonly<Record<string, readonly [one: string, many: string]>> = {
  app: ["application", "applications"],
  node: ["node", "nodes"],
  db: ["database", "databases"],
  kube_cluster: ["Kubernetes cluster", "Kubernetes clusters"],
};

export function drawn(bot: string, graph: AccessGraph): Drawn {
  const { roles, resources, sessions, locked } = graph;
  const roleIds = new Set(roles.map(({ name }) => roleId(name)));
  const stopped = new Set(roles.filter(isStopped).map(({ name }) => name));
  const nodes = [
    botNode(bot, graph),
    ...roles.map((role) => roleNode(role, graph)),
    ...resources.map((resource) => resourceNode(resource, { locked, stopped })),
    ...sessions.map((session) => sessionNode(session)),
  ];
  const edges = [
    ...roles.map((role) => edge("bot", roleId(role.name), locked || isStopped(role))),
    ...resources.flatMap(({ kind, name, roles: by }) => {
      const known = by.map(roleId).filter((id) => roleIds.has(id));
      const from = known.length > 0 ? known : ["bot"];
      const off = (id: string): boolean => locked || stopped.has(id.slice("role:".length));
      return from.map((id) => edge(id, resourceId(kind, name), off(id)));
    }),
    ...sessions.map(({ id, app }) => {
      const through = resources.some(({ kind, name }) => kind === "app" && name === app);
      return edge(through ? resourceId("app", app) : "bot", sessionId(id), false);
    }),
  ];
  return { nodes, edges };
}

const edge = (from: string, to: string, off: boolean): Edge => ({ from, to, off });
const roleId = (name: string): string => `role:${name}`;
const resourceId = (kind: string, name: string): string => `${kind}:${name}`;
const sessionId = (id: string): string => `session:${id}`;

type Role = AccessGraph["roles"][number];
type Resource = AccessGraph["resources"][number];

const isStopped = ({ missing, locked }: Role): boolean => missing || locked;

const botNode = (bot: string, { locked, totals }: AccessGraph): Node => ({
  id: "bot",
  column: "bot",
  title: bot,
  about: locked ? "bot, locked" : "bot",
  relation: `may use ${counted(totals["role"]?.count ?? 0, "role")}`,
  link: { to: "/instances", search: { search: "", bot_name: bot, sort: "last_active_at" } },
  off: locked,
});

function roleNode(role: Role, { resources, locked }: AccessGraph): Node {
  const opens = resources.filter(({ roles }) => roles.includes(role.name)).length;
  return {
    id: roleId(role.name),
    column: "role",
    title: role.name,
    about: role.missing ? "role, deleted" : role.locked ? "role, locked" : "role",
    relation: opens === 0 ? "opens nothing that is shown" : `opens ${opens} of what is shown`,
    link: {
      to: "/resources/$kind/$name",
      params: { kind: "role", name: role.name },
      search: { view: "" },
    },
    off: locked || isStopped(role),
  };
}

function resourceNode(
  { kind, name, roles, together, denied_by }: Resource,
  { locked, stopped }: { locked: boolean; stopped: ReadonlySet<string> },
): Node {
  const by = together ? `only by ${roles.join(" and ")} together` : `by ${roles.join(" or ")}`;
  const not = denied_by.length > 0 ? `, not with ${denied_by.join(" or ")}` : "";
  const [one] = kindTitles[kind] ?? [kind];
  return {
    id: resourceId(kind, name),
    column: "resource",
    title: name,
    about: denied_by.length > 0 ? `${one}${not}` : one,
    relation: `reached ${by}${not}`,
    link:
      kind === "app"
        ? { to: "/resources/$kind", params: { kind }, search: { search: name } }
        : { to: "/resources/$kind/$name", params: { kind, name }, search: { view: "" } },
    off: locked || roles.every((role) => stopped.has(role)),
  };
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** The time of today, the day of another. */
function sinceText(at: string): string {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date().toDateString();
  return (isToday ? time : day).format(then);
}

const sessionNode = (session: Session): Node => {
  const { id, app, instance_id, bytes_up, bytes_down, started_at } = session;
  return {
    id: sessionId(id),
    column: "session",
    title: instance_id === "" ? app : instance_id.slice(0, 8),
    about: `${bytesText(bytes_up + bytes_down)} since ${sinceText(started_at)}`,
    relation: `an instance that is connected to ${app}: ${bytesText(bytes_up)} up, ${bytesText(bytes_down)} down`,
    link: { to: "/audit", search: { session: id } },
    off: false,
  };
};
