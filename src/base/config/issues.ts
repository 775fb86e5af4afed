import type { z } from "zod";
import { formatPath, type Fault } from "./faults.ts";
import { didYouMean } from "./nearest.ts";
import type { Path, Place, Tree } from "./tree.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** A value longer than this is cut where a fault quotes it. */
const MAX_QUOTED = 60;

/** What was allowed, as a sentence; schemas may say it better with their own `error`. */
export function expectation(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${typeWords[isWhole(issue) ? "int" : issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return oneOf(issue.values.map(String));
    case "invalid_union":
      return Array.isArray(issue.options)
        ? oneOf(issue.options.map(String))
        : "has none of the allowed forms";
    case "too_small":
    case "too_big":
      return sizeWords(issue);
    case "invalid_format":
      return `must be ${formatWords[issue.format] ?? `of the form ${issue.pattern ?? issue.format}`}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return `unknown field ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}`;
    default:
      return "is not valid";
  }
}

const isWhole = (issue: RawIssue): boolean =>
  issue.inst !== undefined &&
  "format" in issue.inst._zod.def &&
  String(issue.inst._zod.def.format).includes("int");

/** The faults of one issue, at the places where their values were written. */
export function faultsOfIssue(issue: Issue, tree: Tree, base: Path = []): Fault[] {
  const path = [...base, ...issue.path.map(asSegment)];
  if (issue.code === "invalid_union" && issue.errors.length > 0)
    return faultsOfUnion(issue.errors, tree, path);
  const found = locate(tree, path);
  if (issue.code === "invalid_key") {
    const problem = `is not allowed as a name: ${issue.issues.map((inner) => inner.message).join("; ")}`;
    return [{ place: found.keyPlace, path: formatPath(found.written), problem }];
  }
  return [
    { place: found.place, path: formatPath(found.written), problem: problemOf(issue, found) },
  ];
}

/** Of several forms, the one that got furthest is what was meant; if none began well, all are named. */
function faultsOfUnion(options: readonly Issue[][], tree: Tree, path: Path): Fault[] {
  const begun = options.filter((issues) => issues.every((issue) => !isTypeOf(issue)));
  const best = begun.toSorted((a, b) => a.length - b.length)[0];
  if (best) return best.flatMap((issue) => faultsOfIssue(issue, tree, path));
  const found = locate(tree, path);
  const wanted = [...new Set(options.flatMap((issues) => issues.map((issue) => issue.message)))];
  const said = joinOr(wanted);
  const problem = found.tree ? `${said}${gotWords(found.tree)}` : `is required; it ${said}`;
  return [{ place: found.place, path: formatPath(found.written), problem }];
}

const isTypeOf = (issue: Issue): boolean =>
  issue.path.length === 0 && ["invalid_type", "invalid_value"].includes(issue.code);

/** `must be a string`, `must be a map` → `must be a string or a map`. */
function joinOr(wanted: readonly string[]): string {
  const tails = wanted.map((text, index) => (index ? text.replace(/^must be /, "") : text));
  return tails.join(" or ");
}

function problemOf(issue: Issue, found: Found): string {
  const { tree } = found;
  if (issue.code === "custom")
    return issue.message + (tree?.kind === "scalar" ? quoteUnlessSaid(issue.message, tree) : "");
  if (!tree) return `is required${choicesOf(issue)}`;
  if (tree.kind === "scalar" && tree.value === null) return `has no value; it ${issue.message}`;
  return issue.message + quoteUnlessSaid(issue.message, tree) + hintOf(issue, tree);
}

function choicesOf(issue: Issue): string {
  const offers = issue.code === "invalid_value" || issue.code === "invalid_union";
  return offers ? `; it ${issue.message}` : "";
}

function quoteUnlessSaid(message: string, tree: Tree | undefined): string {
  return message.includes("; got ") || message.startsWith('"') ? "" : gotWords(tree);
}

/** `; got "yes"`, without quoting what is secret. */
function gotWords(tree: Tree | undefined): string {
  if (!tree) return "";
  if (tree.kind !== "scalar") return `; got a ${tree.kind}`;
  if (tree.secret) return "";
  const text = typeof tree.value === "bigint" ? String(tree.value) : JSON.stringify(tree.value);
  return `; got ${text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text}`;
}

function hintOf(issue: Issue, tree: Tree): string {
  if (tree.kind !== "scalar" || tree.secret) return "";
  if (issue.message === `must be ${typeWords["string"]}`) return "; put it in quotes";
  if (issue.code === "invalid_value" && issue.values.length > 1)
    return didYouMean(String(tree.value), tree.words ?? issue.values.map(String));
  if (issue.code === "invalid_union" && issue.errors.length === 0 && "options" in issue)
    return didYouMean(String(tree.value), tree.words ?? (issue.options ?? []).map(String));
  return "";
}

const typeWords: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

const formatWords: Readonly<Record<string, string>> = {
  datetime: "an RFC 3339 time such as 2026-01-31T12:00:00Z",
  email: "an e-mail address",
  url: "a URL",
  uuid: "a UUID",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  base64: "base64",
};

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? `must be "${values[0]}"` : `must be one of ${values.join(", ")}`;
}

function sizeWords(
  issue: Extract<RawIssue, { code: "too_small" }> | Extract<RawIssue, { code: "too_big" }>,
): string {
  const low = issue.code === "too_small";
  const limit = low ? issue.minimum : issue.maximum;
  const unit = sizeUnits[issue.origin];
  if (unit && low && limit === 1) return "must not be empty";
  const bound = low ? "at least" : "at most";
  if (unit) return `must have ${bound} ${limit} ${unit}`;
  if (issue.inclusive === false) return `must be ${low ? "more" : "less"} than ${limit}`;
  return `must be ${bound} ${limit}`;
}

const sizeUnits: Readonly<Record<string, string>> = {
  string: "characters",
  array: "entries",
  map: "entries",
  set: "entries",
  object: "fields",
};

interface Found {
  /** Absent when nothing was written there. */
  readonly tree: Tree | undefined;
  readonly place: Place;
  /** Of the name before the value. */
  readonly keyPlace: Place;
  /** The path in the words of the source. */
  readonly written: Path;
}

function locate(root: Tree, path: Path): Found {
  let tree = root;
  let keyPlace = root.place;
  const written: (string | number)[] = [];
  for (const [index, segment] of path.entries()) {
    const step = childOf(tree, segment);
    const rest = path.slice(index);
    if (!step) {
      const place = (tree.kind === "map" && tree.absent?.(rest)) || tree.place;
      return { tree: undefined, place, keyPlace, written: [...written, ...rest] };
    }
    [tree, keyPlace] = [step.value, step.place];
    written.push(step.written);
  }
  return { tree, place: tree.place, keyPlace, written };
}

function childOf(
  tree: Tree,
  segment: string | number,
): { written: string | number; place: Place; value: Tree } | undefined {
  if (tree.kind === "map") return tree.entries.get(String(segment));
  const item = tree.kind === "list" ? tree.items[Number(segment)] : undefined;
  return item && { written: segment, place: item.place, value: item };
}

const asSegment = (segment: PropertyKey): string | number =>
  typeof segment === "number" ? segment : String(segment);
