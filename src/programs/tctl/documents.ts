import { codeOf, internal, notFound } from "#base/kernel";
import type { AnyResource, KindName, ResourceOf } from "#domain/resources";
import type { Cluster } from "./connect.ts";

/** The most that the server gives at once. */
const PAGE_SIZE = 500;

export interface ListFilter {
  readonly search?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly fields?: Readonly<Record<string, string>> | undefined;
  readonly sort?: string | undefined;
  readonly descending?: boolean | undefined;
}

/** Every document of a kind that fits. */
export async function allOf<K extends KindName>(
  cluster: Cluster,
  kind: K,
  filter: ListFilter = {},
): Promise<ResourceOf<K>[]> {
  const documents: ResourceOf<K>[] = [];
  for await (const document of listAll(cluster, kind, filter)) documents.push(document);
  return documents;
}

async function* listAll<K extends KindName>(
  cluster: Cluster,
  kind: K,
  filter: ListFilter = {},
): AsyncGenerator<ResourceOf<K>> {
  const { search = "", labels = {}, fields = {}, sort = "", descending = false } = filter;
  for (let pageToken = ""; ;) {
    const request = { kind, search, labels, fields, sort, descending };
    const page = await cluster.resources.list({ ...request, pageSize: PAGE_SIZE, pageToken });
    for (const { json } of page.documents) yield documentOf(json, kind);
    pageToken = page.nextPageToken;
    if (!pageToken) return;
  }
}

export async function getOne<K extends KindName>(
  cluster: Cluster,
  kind: K,
  name: string,
): Promise<ResourceOf<K>> {
  const { json } = await cluster.resources.get({ kind, name });
  return documentOf(json, kind);
}

/** Creates all of the documents or none, and gives them as stored. */
export async function createAll(
  cluster: Cluster,
  documents: readonly object[],
): Promise<{ documents: AnyResource[]; notices: string[] }> {
  const written = await cluster.resources.create({ documents: documents.map(toDocument) });
  return {
    documents: written.documents.map(({ json }) => anyDocumentOf(json)),
    notices: written.notices,
  };
}

/** Someone else's write in between is no reason to give up: the change is made to what is there now. */
const CHANGE_ATTEMPTS = 3;

/**
 * Reads, changes and writes all of the documents or none, each over exactly the revision that was
 * read.
 */
export async function changeAll<R extends AnyResource>(
  cluster: Cluster,
  read: () => Promise<readonly R[]>,
  change: (documents: readonly R[]) => readonly R[],
): Promise<{ documents: AnyResource[]; notices: string[] }> {
  for (let left = CHANGE_ATTEMPTS; ; left--) {
    const documents = change(await read()).map(toDocument);
    try {
      const written = await cluster.resources.update({ documents });
      const changed = written.documents.map(({ json }) => anyDocumentOf(json));
      return { documents: changed, notices: written.notices };
    } catch (error) {
      if (left <= 1 || codeOf(error) !== "compare_failed") throw error;
    }
  }
}

export const toDocument = (value: object): { json: string } => ({ json: JSON.stringify(value) });

/** The document of this kind among those that a write gave back. */
export function found<K extends KindName>(
  documents: readonly AnyResource[],
  kind: K,
): ResourceOf<K> {
  const document = documents.find((each) => each.kind === kind);
  if (!document) throw notFound(`the server's answer holds no ${kind}`);
  return document as ResourceOf<K>;
}

/** The server has checked it; a newer one may have put in fields that are not known here. */
function documentOf<K extends KindName>(json: string, kind: K): ResourceOf<K> {
  const document = anyDocumentOf(json);
  if (document.kind !== kind) throw internal(`the server gave a ${document.kind} for a ${kind}`);
  return document as ResourceOf<K>;
}

export const anyDocumentOf = (json: string): AnyResource => JSON.parse(json) as AnyResource;
