import type { DeleteRequest, DeleteResponseSchema } from "@tenon/api/tenon/resource/v1/resource";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { compareFailed } from "#base/kernel";
import { checkVerb, mayVerb } from "#domain/access";
import { deleteOf, kindNamed, type AnyResource, type KindName } from "#domain/resources";
import { commitOrConflict, retryingConflicts } from "./conflict.ts";
import { afterRemoval, prepareRemoval, type ChangeContext } from "./kind-rules.ts";
import { References } from "./references.ts";
import type { ResourceCall, ResourceServiceParts } from "./call.ts";
import { keyOf, titleOf } from "./documents.ts";
import { eventOfRemoval } from "./events.ts";
import { checkWritable } from "./write.ts";

type Request = Pick<DeleteRequest, "kind" | "name" | "revision">;
type Response = MessageInitShape<typeof DeleteResponseSchema>;

/** Deletes the document and, in the same commit, what hangs on it. */
export async function deleteResource(
  parts: ResourceServiceParts,
  request: Request,
  { caller, remoteAddr }: ResourceCall,
): Promise<Response> {
  const kind = kindNamed(request.kind);
  checkVerb(caller, kind, "delete");
  checkWritable(kind);
  const references = new References(parts.resources, []);
  const context: ChangeContext = { caller, remoteAddr, dryRun: false, parts, references };
  const deleted = await retryingConflicts(() => removeOnce(kind, request, context));
  return { deleted: [...deleted] };
}

async function removeOnce(
  kind: KindName,
  { name, revision }: Request,
  context: ChangeContext,
): Promise<readonly string[]> {
  const { parts, caller, remoteAddr } = context;
  const found: AnyResource | undefined = await parts.resources.get(kind, name);
  if (!found) throw await parts.resources.missing(kind, name, mayVerb(caller, kind, "list"));
  if (revision && revision !== found.metadata.revision)
    throw compareFailed(
      `${titleOf(found)} was changed since revision "${revision}" was read; read it again before deleting it`,
    );
  const removal = await prepareRemoval(found, context);
  const event = eventOfRemoval(found, removal, { caller, remoteAddr });
  const events = event ? [parts.audit.write(event)] : [];
  await commitOrConflict(parts.store, [deleteOf(found), ...removal.also, ...events]);
  await afterRemoval(found, context);
  return [keyOf(found), ...removal.gone];
}
