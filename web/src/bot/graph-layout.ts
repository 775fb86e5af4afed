import { Graph, layout } from "@dagrejs/dagre";
import { columns, type Drawn } from "./graph-nodes.ts";

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Laid {
  readonly places: ReadonlyMap<string, Place>;
  readonly nodeWidth: number;
  /** From one column to the next. */
  readonly step: number;
  readonly height: number;
}

export const NODE_PX = 46;
const BETWEEN_PX = 10;
/** Between two columns, where the lines run. */
const GAP_PX = 44;
const NARROW_GAP_PX = 28;
const NARROW_PX = 800;
/** Above the columns. */
const HEADINGS_PX = 34;

/** Each node in its column; within it in the order in which the fewest lines cross. */
export function laidOut(drawn: Drawn, width: number): Laid {
  const { nodes, edges } = drawn;
  const gap = width < NARROW_PX ? NARROW_GAP_PX : GAP_PX;
  const nodeWidth = Math.floor((width - gap * (columns.length - 1)) / columns.length);
  const step = nodeWidth + gap;
  const columnOf = new Map(nodes.map(({ id, column }) => [id, columns.indexOf(column)]));
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: BETWEEN_PX, ranksep: gap });
  for (const { id } of nodes) graph.setNode(id, { width: nodeWidth, height: NODE_PX });
  for (const { from, to } of edges)
    graph.setEdge(from, to, { minlen: columnOf.get(to)! - columnOf.get(from)! });
  layout(graph);
  const middles = new Map(nodes.map(({ id }) => [id, graph.node(id).y]));
  const ordered = inOrder(drawn, upright(drawn, middles));
  const top = Math.min(...ordered.values()) - NODE_PX / 2 - HEADINGS_PX;
  const bottom = Math.max(...ordered.values()) + NODE_PX / 2;
  const places = nodes.map(
    ({ id }) =>
      [id, { x: columnOf.get(id)! * step, y: ordered.get(id)! - NODE_PX / 2 - top }] as const,
  );
  return { places: new Map(places), nodeWidth, step, height: bottom - top };
}

type Heights = ReadonlyMap<string, number>;

/** A drawing that hangs together as well upside down stands as its nodes were given. */
function upright({ nodes }: Drawn, heights: Heights): Heights {
  const falls = (column: string): number => {
    const own = nodes.filter((node) => node.column === column).map(({ id }) => heights.get(id)!);
    return own.slice(1).reduce((sum, y, index) => sum + Math.sign(y - own[index]!), 0);
  };
  if (columns.reduce((sum, column) => sum + falls(column), 0) >= 0) return heights;
  return new Map([...heights].map(([id, y]) => [id, -y]));
}

/** Nodes with the same lines stand in the order in which they were given. */
function inOrder({ nodes, edges }: Drawn, heights: Heights): Heights {
  const linesOf = (node: string): string =>
    edges
      .flatMap(({ from, to }) => (from === node ? [`>${to}`] : to === node ? [`<${from}`] : []))
      .join(" ");
  const alike = Map.groupBy(nodes, ({ id, column }) => `${column} ${linesOf(id)}`);
  const moved = [...alike.values()].flatMap((group) => {
    const own = group.map(({ id }) => heights.get(id)!).toSorted((a, b) => a - b);
    return group.map(({ id }, index) => [id, own[index]!] as const);
  });
  return new Map(moved);
}

/** From the right side of one node to the left side of another. */
export function curve(from: Place, to: Place, nodeWidth: number): string {
  const [x1, y1, x2, y2] = [from.x + nodeWidth, from.y + NODE_PX / 2, to.x, to.y + NODE_PX / 2];
  const bend = Math.min((x2 - x1) / 2, GAP_PX);
  return `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
}
