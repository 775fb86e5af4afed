import { formatPath } from "./faults.ts";
import type { Path, Place, Tree } from "./tree.ts";

/** Where the value was written that a fault calls `spec.roles[0]`; nothing where none was. */
export function placeOf(tree: Tree, written: string, path: Path = []): Place | undefined {
  if (formatPath(path) === written) return tree.place;
  for (const [segment, below] of childrenOf(tree)) {
    const found = placeOf(below, written, [...path, segment]);
    if (found) return found;
  }
  return undefined;
}

function childrenOf(tree: Tree): (readonly [string | number, Tree])[] {
  if (tree.kind === "list") return tree.items.map((item, index) => [index, item] as const);
  if (tree.kind === "map")
    return [...tree.entries.values()].map(({ written, value }) => [written, value] as const);
  return [];
}
