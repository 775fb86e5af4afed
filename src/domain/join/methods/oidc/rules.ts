import { matchesPattern } from "./pattern.ts";

export type Claims = Readonly<Record<string, unknown>>;
type Scalar = string | number | boolean;

/** What one claim must be; `path` leads to it through objects. */
export type Condition = { readonly path: readonly string[] } & (
  | { readonly is: Scalar }
  | { readonly like: string }
  | { readonly present: true }
);

/** Fits if every condition does. */
export type Rule = readonly Condition[];

/** References and subjects are shorter; a longer text only costs time. */
const MAX_MATCHED = 2048;
/** In a reason, enough to see what was wrong. */
const MAX_SHOWN = 128;
const MAX_RULES_TOLD = 5;

/** 5. "any entry suffices": the first rule that fits, or what kept each from fitting. */
export function fittingRule(
  rules: readonly Rule[],
  claims: Claims,
): { readonly rule: Rule } | { readonly reason: string } {
  const rule = rules.find((each) => each.every((condition) => fits(condition, claims)));
  if (rule) return { rule };
  const faults = rules
    .slice(0, MAX_RULES_TOLD)
    .map((each, i) => `rule ${i + 1}: ${why(each, claims)}`);
  const more = rules.length > MAX_RULES_TOLD ? `; and ${rules.length - MAX_RULES_TOLD} more` : "";
  return { reason: `no allow rule fits (${faults.join("; ")}${more})` };
}

function why(rule: Rule, claims: Claims): string {
  const missed = rule.filter((condition) => !fits(condition, claims));
  return missed.map((condition) => whyNot(condition, claims)).join(", ");
}

function whyNot(condition: Condition, claims: Claims): string {
  const name = condition.path.join(".");
  const value = claimAt(claims, condition.path);
  if (value === undefined) return `${name} is missing`;
  return `${name} is ${shown(value)}, not ${wanted(condition)}`;
}

function wanted(condition: Condition): string {
  if ("is" in condition) return shown(condition.is);
  return "like" in condition ? `like ${shown(condition.like)}` : "a text";
}

/** Quoted as JSON, so that no sign of it can be taken for ours. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

function fits(condition: Condition, claims: Claims): boolean {
  const value = claimAt(claims, condition.path);
  if ("is" in condition)
    return value === condition.is || (Array.isArray(value) && value.includes(condition.is));
  if (typeof value !== "string") return false;
  if ("present" in condition) return value !== "";
  return value.length <= MAX_MATCHED && matchesPattern(condition.like, value);
}

export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
