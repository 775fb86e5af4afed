import type { KeyboardEvent } from "react";
import type { Drawn } from "./graph-nodes.ts";
import type { Laid, Place } from "./graph-layout.ts";

/** A node, whatever leads to it, and whatever it leads to. */
export function connected({ edges }: Drawn, id: string): ReadonlySet<string> {
  const found = new Set([id]);
  const follow = (at: string, next: (at: string) => string[]): void => {
    for (const each of next(at)) {
      found.add(each);
      follow(each, next);
    }
  };
  follow(id, (at) => edges.filter(({ from }) => from === at).map(({ to }) => to));
  follow(id, (at) => edges.filter(({ to }) => to === at).map(({ from }) => from));
  return found;
}

/** Arrow keys walk: left and right along a line, up and down within a column. */
export function walk(event: KeyboardEvent<HTMLElement>, drawn: Drawn, { places }: Laid): void {
  const node = (event.target as HTMLElement).closest<HTMLElement>("[data-node]")?.dataset["node"];
  const here = node === undefined ? undefined : places.get(node);
  if (node === undefined || !here) return;
  const candidates = candidatesOf(event.key, node, { drawn, places });
  if (!candidates) return;
  event.preventDefault();
  const [nearest] = candidates.toSorted(
    (a, b) => Math.abs(places.get(a)!.y - here.y) - Math.abs(places.get(b)!.y - here.y),
  );
  if (nearest === undefined) return;
  event.currentTarget.querySelector<HTMLElement>(`[data-node="${CSS.escape(nearest)}"]`)?.focus();
}

function candidatesOf(
  key: string,
  node: string,
  { drawn: { edges }, places }: { drawn: Drawn; places: ReadonlyMap<string, Place> },
): string[] | undefined {
  const here = places.get(node)!;
  const inColumn = (wanted: (y: number) => boolean): string[] =>
    [...places].filter(([, { x, y }]) => x === here.x && wanted(y)).map(([id]) => id);
  if (key === "ArrowRight") return edges.filter(({ from }) => from === node).map(({ to }) => to);
  if (key === "ArrowLeft") return edges.filter(({ to }) => to === node).map(({ from }) => from);
  if (key === "ArrowUp") return inColumn((y) => y < here.y);
  if (key === "ArrowDown") return inColumn((y) => y > here.y);
  return undefined;
}
