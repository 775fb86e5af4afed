import { decideOpen, type Holder, type OpenableKind } from "#domain/access";
import { appName, type ResourceOf, type RangeOptions, type Resources } from "#domain/resources";

type Document = ResourceOf<OpenableKind>;

/** What goes by one name: several agents may serve one application, each with its own document. */
export interface Openable {
  readonly name: string;
  readonly documents: readonly [Document, ...Document[]];
}

export async function openableNamed(
  resources: Resources,
  kind: OpenableKind,
  name: string,
): Promise<Openable | undefined> {
  for await (const found of openables(resources, kind, { from: name, to: `${name}\0` }))
    return found;
  return undefined;
}

/** Everything of a kind, in the order of names. */
export async function* openables(
  resources: Resources,
  kind: OpenableKind,
  names: Pick<RangeOptions, "from" | "to"> = {},
): AsyncGenerator<Openable, void, undefined> {
  const range = { ...names, ...(kind === "app" ? { index: "app" } : {}) };
  let last: Openable | undefined;
  for await (const document of resources.all(kind, range)) {
    const name = document.kind === "app" ? appName(document) : document.metadata.name;
    const goesOn = last?.name === name;
    if (last && !goesOn) yield last;
    last = { name, documents: last && goesOn ? [...last.documents, document] : [document] };
  }
  if (last) yield last;
}

/** Whoever labels an application differently opens it only to those whom every label set allows. */
export const opens = (holder: Holder, { documents }: Openable): boolean =>
  documents.every(({ kind, metadata }) => decideOpen(kind, holder, metadata.labels).allowed);
