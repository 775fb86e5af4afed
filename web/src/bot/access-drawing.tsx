import { Link } from "@tanstack/react-router";
import { useMemo, useState, type CSSProperties, type ReactElement } from "react";
import type { AccessGraph } from "../api/types.ts";
import { useWidth } from "../width.ts";
import { curve, laidOut, type Laid } from "./graph-layout.ts";
import { columns, drawn, type ColumnName, type Drawn, type Node } from "./graph-nodes.ts";
import { connected, walk } from "./graph-walk.ts";

/** With less than this the columns stand beneath each other, and words say what the lines would. */
const LEAST_PX = 580;

const headings: Readonly<Record<ColumnName, string>> = {
  bot: "Bot",
  role: "Roles",
  resource: "Resources",
  session: "Open connections",
};

/** Lists of links, column by column; where there is room, with lines between them. */
export function AccessDrawing({ bot, graph }: { bot: string; graph: AccessGraph }): ReactElement {
  const [ref, width] = useWidth();
  const [at, setAt] = useState<string>();
  const all = useMemo(() => drawn(bot, graph), [bot, graph]);
  const laid = useMemo(() => (width >= LEAST_PX ? laidOut(all, width) : undefined), [all, width]);
  const lit = useMemo(() => (at === undefined ? undefined : connected(all, at)), [all, at]);
  return (
    <div
      ref={ref}
      className={laid ? "graph" : "graph stacked"}
      style={laid ? { height: laid.height } : {}}
      onKeyDown={(event) => laid && walk(event, all, laid)}
      onPointerLeave={() => setAt(undefined)}
      onBlur={() => setAt(undefined)}
    >
      {laid && <Lines drawn={all} laid={laid} lit={lit} />}
      {columns.map((column) => (
        <Column
          key={column}
          column={column}
          nodes={inOrder(all.nodes, column, laid)}
          laid={laid}
          lit={lit}
          onLook={setAt}
        />
      ))}
    </div>
  );
}

/** As it is drawn, from above: so that reading and walking go the way that the eye goes. */
const inOrder = (
  nodes: readonly Node[],
  column: ColumnName,
  laid: Laid | undefined,
): readonly Node[] => {
  const own = nodes.filter((node) => node.column === column);
  if (!laid) return own;
  return own.toSorted((a, b) => laid.places.get(a.id)!.y - laid.places.get(b.id)!.y);
};

const Lines = ({
  drawn: { edges },
  laid: { places, nodeWidth, height },
  lit,
}: {
  drawn: Drawn;
  laid: Laid;
  lit: ReadonlySet<string> | undefined;
}): ReactElement => (
  <svg className="lines" width="100%" height={height} aria-hidden="true" focusable="false">
    {edges.map(({ from, to, off }) => (
      <path
        key={`${from} ${to}`}
        className={`${off ? "off" : ""} ${stateOf(lit, lit?.has(from) && lit.has(to))}`}
        d={curve(places.get(from)!, places.get(to)!, nodeWidth)}
      />
    ))}
  </svg>
);

const stateOf = (lit: ReadonlySet<string> | undefined, isLit: boolean | undefined): string =>
  lit === undefined ? "" : isLit ? "lit" : "dim";

interface ColumnProps {
  readonly column: ColumnName;
  readonly nodes: readonly Node[];
  readonly laid: Laid | undefined;
  readonly lit: ReadonlySet<string> | undefined;
  readonly onLook: (id: string) => void;
}

function Column({ column, nodes, laid, lit, onLook }: ColumnProps): ReactElement {
  const title = headings[column];
  return (
    <section aria-label={title}>
      <h3 style={headingAt(column, laid)}>{title}</h3>
      {nodes.length === 0 ? (
        <p className="soft none" style={headingAt(column, laid)}>
          none
        </p>
      ) : (
        <ul>
          {nodes.map((node) => (
            <li key={node.id} style={placeOf(node, laid)}>
              <Link
                {...node.link}
                className={`node ${node.column} ${node.off ? "off" : ""} ${stateOf(lit, lit?.has(node.id))}`}
                data-node={node.id}
                title={`${node.title}: ${node.relation}`}
                onPointerEnter={() => onLook(node.id)}
                onFocus={() => onLook(node.id)}
              >
                <span className="name">{node.title}</span>
                <span className="about">{node.about}</span>
                <span className={laid ? "visually-hidden" : "about"}>{node.relation}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function headingAt(column: ColumnName, laid: Laid | undefined): CSSProperties {
  if (!laid) return {};
  return { left: columns.indexOf(column) * laid.step, width: laid.nodeWidth };
}

function placeOf({ id }: Node, laid: Laid | undefined): CSSProperties {
  if (!laid) return {};
  const { x, y } = laid.places.get(id)!;
  return { left: x, top: y, width: laid.nodeWidth };
}
