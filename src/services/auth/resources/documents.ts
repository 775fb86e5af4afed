import type { WriteRequest } from "@tenon/api/tenon/resource/v1/resource";
import { badParameter, messageOf } from "#base/kernel";
import { parseClientDocument, tokenDisplayName, type AnyResource } from "#domain/resources";

/** Each with the user, role, event and conditions of a bot, these are still one batch of the store. */
export const MAX_DOCUMENTS = 100;

export interface Incoming {
  readonly documents: readonly AnyResource[];
  /** What was ignored. */
  readonly notices: readonly string[];
}

/** Parses every document of a write; one `bad_parameter` tells all that is wrong with any of them. */
export function readDocuments(request: Pick<WriteRequest, "documents">): Incoming {
  const { length } = request.documents;
  if (length === 0 || length > MAX_DOCUMENTS)
    throw badParameter(`a write takes 1 to ${MAX_DOCUMENTS} documents; got ${length}`);
  const [notices, faults]: [string[], string[]] = [[], []];
  const documents = request.documents.flatMap(({ json }, index) => {
    try {
      return [readDocument(json, notices)];
    } catch (error) {
      faults.push(length > 1 ? `document ${index + 1}: ${messageOf(error)}` : messageOf(error));
      return [];
    }
  });
  if (faults.length > 0) throw badParameter(faults.join("\n"));
  checkOnce(documents);
  return { documents, notices };
}

function readDocument(json: string, notices: string[]): AnyResource {
  const { resource, hadStatus } = parseClientDocument(json);
  if (hadStatus) notices.push(`${titleOf(resource)}: status is the server's and was ignored`);
  return resource;
}

/** `bot "ci"`, without the name of a token that is a secret. */
export const titleOf = (resource: AnyResource): string =>
  `${resource.kind} "${resource.kind === "token" ? tokenDisplayName(resource) : resource.metadata.name}"`;

export const keyOf = (resource: { kind: string; metadata: { name: string } }): string =>
  `${resource.kind}/${resource.metadata.name}`;

function checkOnce(documents: readonly AnyResource[]): void {
  const seen = new Set<string>();
  for (const resource of documents) {
    if (seen.has(keyOf(resource)))
      throw badParameter(`${titleOf(resource)} stands twice in one write; leave one out`);
    seen.add(keyOf(resource));
  }
}
