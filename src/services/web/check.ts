import { faultsOf, parseYaml, placeOf, yamlTrees, type Place, type Tree } from "#base/config";
import { codeOf, messageOf, type ErrorCode } from "#base/kernel";
import { kinds, type AnyResource, type KindName } from "#domain/resources";
import type { PersonCalls } from "./caller.ts";

/** More than these help nobody: the first ones often caused the rest. */
const MAX_FAULTS = 200;

/** What a person has typed, and what it is to replace. */
export interface Draft {
  readonly kind: KindName;
  readonly yaml: string;
  /** Of the document that it replaces; without them it is a new one. */
  readonly name?: string | undefined;
  readonly revision?: string | undefined;
}

export interface DraftFault {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** `spec.allow.logins[0]`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
}

export interface CheckedDraft {
  readonly faults: readonly DraftFault[];
  /** As it would be stored; nothing where the text has faults. */
  readonly document?: AnyResource;
  readonly notices: readonly string[];
  /** Why the cluster would not take it, where no line of the text is at fault. */
  readonly refused?: { readonly code: ErrorCode; readonly message: string };
}

/**
 * What `tctl create --dry-run` checks: by the strict parser first, which tells all faults with their
 * places, then by the rules of the kind, on the authority, which writes nothing.
 */
export async function checkDraft(
  calls: Pick<PersonCalls, "dryRun">,
  draft: Draft,
): Promise<CheckedDraft> {
  const document = read(draft);
  if (Array.isArray(document)) return { faults: document, notices: [] };
  const { revision } = draft;
  const metadata = { ...document.metadata, ...(revision ? { revision } : {}) };
  const wanted = { ...document, metadata } as AnyResource;
  try {
    const notices = await calls.dryRun(revision ? "update" : "create", wanted);
    return { faults: [], document: wanted, notices };
  } catch (error) {
    return { document: wanted, notices: [], ...refusalOf(error, draft) };
  }
}

function read({ kind, yaml, name }: Draft): AnyResource | DraftFault[] {
  const source = { text: yaml, file: "the document", schema: kinds[kind].schema };
  try {
    const document = parseYaml(source);
    if (name === undefined || document.metadata.name === name) return document;
    const message = `must stay as it is; a document under another name is another document`;
    return [faultAt(treeOf(yaml), "metadata.name", message)];
  } catch (error) {
    if (codeOf(error) !== "bad_parameter") throw error;
    const faults = faultsOf(error).map(({ place, path, problem }) => at(place, path, problem));
    return faults.length > 0 ? faults.slice(0, MAX_FAULTS) : [at(undefined, "", messageOf(error))];
  }
}

/** The person may have to wait or to sign in again, or the text is not what is wrong. */
const aboutTheText: ReadonlySet<ErrorCode> = new Set([
  "bad_parameter",
  "not_found",
  "limit_exceeded",
]);
const refusals: ReadonlySet<ErrorCode> = new Set([
  "access_denied",
  "already_exists",
  "compare_failed",
]);

function refusalOf(error: unknown, { yaml }: Draft): Pick<CheckedDraft, "faults" | "refused"> {
  const [code, message] = [codeOf(error), messageOf(error)];
  if (refusals.has(code)) return { faults: [], refused: { code, message } };
  if (!aboutTheText.has(code)) throw error;
  const [, path, problem] = PATH.exec(message) ?? [];
  if (path === undefined) return { faults: [at(undefined, "", message)] };
  return { faults: [faultAt(treeOf(yaml), path, problem!)] };
}

/** How the rules of a kind say where: `spec.roles[0]: there is no role "x"`. */
const PATH = /^((?:metadata|spec)(?:\.[\w-]+|\[(?:\d+|"(?:[^"\\]|\\.)*")\])*): (.+)$/s;

const treeOf = (yaml: string): Tree => yamlTrees({ text: yaml, file: "the document" }, "one")[0]!;

const faultAt = (tree: Tree, path: string, message: string): DraftFault =>
  at(placeOf(tree, path) ?? placeOf(tree, path.split(".", 1)[0]!), path, message);

const at = (place: Place | undefined, path: string, message: string): DraftFault => ({
  line: place?.line ?? 1,
  column: place?.column ?? 1,
  path,
  // The parser speaks of places as of a file.
  message: message.replaceAll(/the document:(\d+):\d+/g, "line $1"),
});
