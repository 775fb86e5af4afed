import type {
  DocumentSchema,
  GetRequest,
  ListRequest,
  ListResponseSchema,
  TallyRequest,
  TallyResponseSchema,
} from "@tenon/api/tenon/resource/v1/resource";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { checkVerb, mayVerb } from "#domain/access";
import { kindNamed, type AnyResource } from "#domain/resources";
import type { ResourceCall, ResourceServiceParts } from "./call.ts";
import { viewFor } from "./secrets.ts";

export async function getResource(
  { resources }: ResourceServiceParts,
  request: Pick<GetRequest, "kind" | "name">,
  { caller }: ResourceCall,
): Promise<MessageInitShape<typeof DocumentSchema>> {
  const kind = kindNamed(request.kind);
  checkVerb(caller, kind, "read", request.name);
  const found = await resources.get(kind, request.name);
  if (!found) throw await resources.missing(kind, request.name, mayVerb(caller, kind, "list"));
  return documentOf(viewFor(caller)(found));
}

export async function listResources(
  { resources }: ResourceServiceParts,
  request: Omit<ListRequest, "$typeName">,
  { caller }: ResourceCall,
): Promise<MessageInitShape<typeof ListResponseSchema>> {
  const kind = kindNamed(request.kind);
  checkVerb(caller, kind, "list");
  const page = await resources.listAny(kind, request, viewFor(caller));
  return {
    documents: page.resources.map(documentOf),
    nextPageToken: page.nextPageToken ?? "",
  };
}

/** Who may list documents may count them. */
export async function tallyResources(
  { resources }: ResourceServiceParts,
  request: Pick<TallyRequest, "kind" | "fields">,
  { caller }: ResourceCall,
): Promise<MessageInitShape<typeof TallyResponseSchema>> {
  const kind = kindNamed(request.kind);
  checkVerb(caller, kind, "list");
  const fields = [...new Set(request.fields)];
  const tallies = fields.map(async (field) => ({
    field,
    values: (await resources.tally(kind, field)).map(({ key, count }) => ({
      value: key,
      count: BigInt(count),
    })),
  }));
  return { total: BigInt(await resources.count(kind)), fields: await Promise.all(tallies) };
}

export const documentOf = (resource: AnyResource): { json: string } => ({
  json: JSON.stringify(resource),
});
