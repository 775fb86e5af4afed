import type { LabelMatchers, Role, Traits } from "#domain/resources";
import { accessDenied } from "#base/kernel";
import { fitsAny } from "./pattern.ts";
import type { Decision } from "./rules.ts";

export type Labels = Readonly<Record<string, string>>;

/** All names must match, each by one of its values; `"*": ["*"]` matches everything, `{}` nothing. */
export function matchesLabels(matchers: LabelMatchers, traits: Traits, labels: Labels): boolean {
  const entries = Object.entries(matchers);
  return (
    entries.length > 0 &&
    entries.every(([name, values]) => {
      if (name === "*") return values.includes("*");
      return Object.hasOwn(labels, name) && fitsAny(values, traits, labels[name]!);
    })
  );
}

/** Whose labels open what, and what people call it. */
const openers = {
  node: { field: "node_labels", title: "node" },
  app: { field: "app_labels", title: "application" },
  db: { field: "db_labels", title: "database" },
  kube_cluster: { field: "kubernetes_labels", title: "Kubernetes cluster" },
} as const;

/** The kinds of resources that roles open by labels. */
export type OpenableKind = keyof typeof openers;

export const openableKinds: readonly OpenableKind[] = ["node", "app", "db", "kube_cluster"];
export const openableTitle = (kind: OpenableKind): string => openers[kind].title;

/** The field of a role that says which of them it opens. */
export const openerField = <K extends OpenableKind>(kind: K): (typeof openers)[K]["field"] =>
  openers[kind].field;

/** Who asks: roles, and the traits that fill their templates. */
export interface Holder {
  readonly roles: readonly Role[];
  readonly traits: Traits;
}

/** Whether roles open what has these labels: any deny wins, no allow is no access. */
export function decideOpen(
  kind: OpenableKind,
  { roles, traits }: Holder,
  labels: Labels,
): Decision {
  const { field, title } = openers[kind];
  const denier = roles.find((role) => matchesLabels(role.spec.deny[field], traits, labels));
  if (denier)
    return {
      allowed: false,
      denied: true,
      reason: `role "${denier.metadata.name}" denies the ${title}`,
    };
  return roles.some((role) => matchesLabels(role.spec.allow[field], traits, labels))
    ? { allowed: true }
    : { allowed: false, denied: false, reason: `no role allows the ${title}` };
}

/** Throws `access_denied`; `name` is for the message. */
export function checkOpen(
  kind: OpenableKind,
  holder: Holder,
  { name, labels }: { readonly name: string; readonly labels: Labels },
): void {
  const decision = decideOpen(kind, holder, labels);
  if (decision.allowed) return;
  const { field, title } = openers[kind];
  throw accessDenied(
    `access to ${title} "${name}" is denied; ask for a role whose ${field} match it`,
    { detail: decision.reason },
  );
}
