import { isCollection, isMap, isSeq, parseDocument, stringify, type Document } from "yaml";

export type Step = string | number;
export type Path = readonly Step[];

/** A text as the form sees it. */
export interface Tree {
  /** What stands at a path; nothing where nothing does. */
  readonly get: (path: Path) => unknown;
  /** The text with another value there; `undefined` takes it out. Comments and order stay. */
  readonly with: (path: Path, value: unknown) => string;
}

/** Nothing where the text has faults of syntax: only the YAML can be mended then. */
export function treeOf(text: string): Tree | undefined {
  const document = read(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  return {
    get: (path) => plain(document.getIn(path)),
    with: (path, value) => {
      const next = read(text);
      try {
        write(next, path, value);
      } catch {
        // What is an alias, or no collection where one is needed, is written anew from here.
        return rewritten(text, path, value);
      }
      return next.toString({ lineWidth: 0 });
    },
  };
}

/** Text of a new document. */
export const textOf = (value: unknown): string => stringify(value, { lineWidth: 0 });

const read = (text: string): Document => parseDocument(text, { version: "1.2", logLevel: "error" });

const plain = (node: unknown): unknown =>
  typeof node === "object" && node !== null && "toJSON" in node ? (node as Node).toJSON() : node;
interface Node {
  toJSON(): unknown;
}

function write(document: Document, path: Path, value: unknown): void {
  if (value === undefined) return remove(document, path);
  makeRoom(document, path);
  const before = document.getIn(path, true);
  const node = document.createNode(value);
  if (isSeq(before) && isSeq(node)) {
    // What stays in a list keeps its comments.
    const kept = new Map(before.items.map((item) => [JSON.stringify(plain(item)), item] as const));
    before.items = node.items.map((item) => kept.get(JSON.stringify(plain(item))) ?? item);
    before.flow = before.flow === true && before.items.length > 0;
    return;
  }
  document.setIn(path, node);
}

/** `spec:` without a value is a place for one. */
function makeRoom(document: Document, path: Path): void {
  for (const [index] of path.entries()) {
    if (index === 0) continue;
    const above = path.slice(0, index);
    const there = document.getIn(above, true);
    if (isCollection(there)) {
      if (there.items.length === 0) there.flow = false;
      continue;
    }
    const value = document.getIn(above);
    if (value === undefined || value === null)
      document.setIn(above, document.createNode(typeof path[index] === "number" ? [] : {}));
  }
}

/** With what would be left empty above it, but for the sections that every document has. */
function remove(document: Document, path: Path): void {
  if (!document.hasIn(path)) return;
  document.deleteIn(path);
  const above = path.slice(0, -1);
  const left = document.getIn(above, true);
  if (above.length > 1 && isCollection(left) && left.items.length === 0) remove(document, above);
}

function rewritten(text: string, path: Path, value: unknown): string {
  const next = read(stringify(read(text).toJS(), { aliasDuplicateObjects: false }));
  write(next, path, value);
  return next.toString({ lineWidth: 0 });
}
