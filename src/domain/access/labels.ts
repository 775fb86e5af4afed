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

/** Whether roles open an application with these labels: any deny wins, no allow is no access. */
export function decideApp(roles: readonly Role[], traits: Traits, labels: Labels): Decision {
  const denier = roles.find((role) => matchesLabels(role.spec.deny.app_labels, traits, labels));
  if (denier)
    return {
      allowed: false,
      denied: true,
      reason: `role "${denier.metadata.name}" denies the application`,
    };
  return roles.some((role) => matchesLabels(role.spec.allow.app_labels, traits, labels))
    ? { allowed: true }
    : { allowed: false, denied: false, reason: "no role allows the application" };
}

/** Throws `access_denied`; `name` is the application's, for the message. */
export function checkApp(
  roles: readonly Role[],
  traits: Traits,
  app: { readonly name: string; readonly labels: Labels },
): void {
  const decision = decideApp(roles, traits, app.labels);
  if (decision.allowed) return;
  throw accessDenied(
    `access to application "${app.name}" is denied; ask for a role whose app_labels match it`,
    { detail: decision.reason },
  );
}
