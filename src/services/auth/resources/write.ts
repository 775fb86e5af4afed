import type { WriteRequest, WriteResponseSchema } from "@tenon/api/tenon/resource/v1/resource";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  accessDenied,
  alreadyExists,
  badParameter,
  compareFailed,
  type CodedError,
} from "#base/kernel";
import type { Committed, Write } from "#base/storage";
import { checkVerb, mayVerb } from "#domain/access";
import {
  expiryOf,
  INTERNAL_LABELS,
  kinds,
  writeOf,
  type AnyResource,
  type Verb,
} from "#domain/resources";
import { commitOrConflict, retryingConflicts } from "./conflict.ts";
import { prepareChange, type Change, type ChangeContext, type Prepared } from "./kind-rules.ts";
import { References } from "./references.ts";
import type { ResourceCall, ResourceServiceParts } from "./call.ts";
import { readDocuments, titleOf } from "./documents.ts";
import { eventOfChange } from "./events.ts";
import { documentOf } from "./read.ts";
import { viewFor } from "./secrets.ts";

export type WriteMode = "create" | "update" | "upsert";
type Request = Pick<WriteRequest, "documents" | "dryRun">;
type Response = MessageInitShape<typeof WriteResponseSchema>;

/** What the caller needs for each kind in the write. */
const verbsOf: Readonly<Record<WriteMode, readonly Verb[]>> = {
  create: ["create"],
  update: ["update"],
  upsert: ["create", "update"],
};

/**
 * Writes every document, or none:
 * 1. Parse them all, and tell all faults at once.
 * 2. Authorize: the verb on each kind; no kind that only the server writes.
 * 3. Read what is there, and check it against the mode and the revision that the document names.
 * 4. Let each kind's rules check, complete and say what else is written.
 * 5. Commit, with the conditions that 3 and 4 rest on and the audit events; a conflict returns to 3.
 */
export async function writeResources(
  parts: ResourceServiceParts,
  mode: WriteMode,
  request: Request,
  call: ResourceCall,
): Promise<Response> {
  const { documents, notices } = readDocuments(request);
  for (const document of documents) authorize(document, mode, call);
  return retryingConflicts(async () => {
    const plan = await planOf(parts, { mode, documents, dryRun: request.dryRun }, call);
    const committed = request.dryRun ? undefined : await commitOrConflict(parts.store, plan.writes);
    return responseOf(plan, [...notices, ...plan.notices], { committed, call });
  });
}

function authorize(document: AnyResource, mode: WriteMode, { caller }: ResourceCall): void {
  for (const verb of verbsOf[mode]) checkVerb(caller, document.kind, verb);
  checkWritable(document.kind);
}

export function checkWritable(kind: AnyResource["kind"]): void {
  if (kinds[kind].writable === "clients") return;
  throw accessDenied(`documents of kind ${kind} are written only by the cluster itself`);
}

interface Plan {
  /** As they will be stored, in the order of the request; the first writes are theirs. */
  readonly resources: readonly AnyResource[];
  readonly writes: readonly Write[];
  readonly notices: readonly string[];
}

interface Wanted {
  readonly mode: WriteMode;
  readonly documents: readonly AnyResource[];
  readonly dryRun: boolean;
}

async function planOf(
  parts: ResourceServiceParts,
  { mode, documents, dryRun }: Wanted,
  { caller, remoteAddr }: ResourceCall,
): Promise<Plan> {
  const references = new References(parts.resources, documents);
  const context: ChangeContext = { caller, remoteAddr, dryRun, parts, references };
  const prepared: (Prepared & Pick<Change, "existing">)[] = [];
  for (const document of documents) {
    const { change, notices } = await changeOf(document, mode, context);
    const result = await prepareChange(change, context);
    prepared.push({
      ...result,
      existing: change.existing,
      notices: [...notices, ...(result.notices ?? [])],
    });
  }
  const changes = prepared.map(documentWrite);
  const also = prepared.flatMap((each) => each.also ?? []);
  checkNoOverlap([...changes, ...also]);
  const events = prepared.map((each) => eventOfChange(each, { caller, remoteAddr }));
  return {
    resources: prepared.map(({ resource }) => resource),
    writes: [
      ...changes,
      ...also,
      ...references.checks(),
      ...events.flatMap((event) => (event ? [parts.audit.write(event)] : [])),
    ],
    notices: prepared.flatMap(({ notices = [] }) => notices),
  };
}

async function changeOf(
  document: AnyResource,
  mode: WriteMode,
  { parts, caller }: ChangeContext,
): Promise<{ change: Change; notices: readonly string[] }> {
  const { kind, metadata } = document;
  const existing: AnyResource | undefined = await parts.resources.get(kind, metadata.name);
  if (existing && mode === "create") throw takenError(document);
  if (!existing && mode === "update")
    throw await parts.resources.missing(kind, metadata.name, mayVerb(caller, kind, "list"));
  if (mode !== "create") checkRevision(document, existing, mode);
  checkNotPast(document, parts.clock.now());
  const { labels, notices } = labelsOf(document, existing);
  const { revision: _, ...rest } = metadata;
  const status = existing?.status;
  const resource = {
    ...document,
    metadata: { ...rest, labels },
    ...(status ? { status } : {}),
  } as AnyResource;
  return { change: { resource, existing }, notices };
}

const takenError = (document: AnyResource): CodedError =>
  alreadyExists(`${titleOf(document)} already exists; update it, or choose another name`);

function checkRevision(
  document: AnyResource,
  existing: AnyResource | undefined,
  mode: WriteMode,
): void {
  const { revision } = document.metadata;
  if (!revision && mode === "update")
    throw badParameter(
      `${titleOf(document)} has no metadata.revision; read the document, change it, and send it back with its revision`,
    );
  if (!revision || revision === existing?.metadata.revision) return;
  throw compareFailed(
    existing
      ? `${titleOf(document)} was changed since revision "${revision}" was read; read it again and repeat the change`
      : `${titleOf(document)} was deleted since revision "${revision}" was read; leave metadata.revision out to create it anew`,
  );
}

function checkNotPast(document: AnyResource, now: number): void {
  const expires = expiryOf(document);
  if (expires === undefined || expires > now) return;
  throw badParameter(
    `${titleOf(document)} would expire at ${new Date(expires).toISOString()}, which has passed`,
  );
}

/** Labels under `tenon.internal/` are the server's: they stay as they are stored. */
function labelsOf(
  document: AnyResource,
  existing: AnyResource | undefined,
): { labels: Record<string, string>; notices: readonly string[] } {
  const isInternal = ([name]: [string, string]): boolean => name.startsWith(INTERNAL_LABELS);
  const sent = Object.entries(document.metadata.labels);
  const kept = Object.entries(existing?.metadata.labels ?? {}).filter(isInternal);
  const ignored = sent
    .filter(isInternal)
    .filter(([name, value]) => existing?.metadata.labels[name] !== value);
  return {
    labels: Object.fromEntries([...sent.filter((entry) => !isInternal(entry)), ...kept]),
    notices: ignored.map(
      ([name]) => `${titleOf(document)}: label "${name}" is the server's and was ignored`,
    ),
  };
}

function documentWrite({ resource, existing }: Pick<Change, "resource" | "existing">): Write {
  if (!existing) return writeOf(resource, "create");
  const { revision } = existing.metadata;
  const metadata = { ...resource.metadata, ...(revision ? { revision } : {}) };
  return writeOf({ ...resource, metadata }, "update");
}

/** A bot's user cannot come beside the bot that makes it. */
function checkNoOverlap(writes: readonly Write[]): void {
  const seen = new Set<string>();
  for (const { kind, name } of writes.filter(({ op }) => op !== "check")) {
    const key = `${kind}/${name}`;
    if (seen.has(key))
      throw badParameter(
        `${kind} "${name}" follows from another document of this write; leave it out`,
      );
    seen.add(key);
  }
}

function responseOf(
  plan: Plan,
  notices: readonly string[],
  { committed, call }: { committed: Committed | undefined; call: ResourceCall },
): Response {
  const view = viewFor(call.caller);
  const documents = plan.resources.map((resource, index) => {
    const revision = committed?.revisions[index];
    const metadata = { ...resource.metadata, ...(revision ? { revision } : {}) };
    return documentOf(view({ ...resource, metadata }));
  });
  return { documents, notices: [...notices] };
}
