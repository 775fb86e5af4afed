import type { ReactElement, ReactNode } from "react";

type Tone = "good" | "warn" | "bad" | "soft";

/** A state in a word; the word says it, the colour only repeats it. */
export const Badge = ({ tone, children }: { tone: Tone; children: ReactNode }): ReactElement => (
  <span className={`badge ${tone}`}>{children}</span>
);

/** Names side by side; `none` stands where there are none. */
export function Tags({ items, none }: { items: readonly ReactNode[]; none: string }): ReactElement {
  if (items.length === 0) return <span className="soft">{none}</span>;
  return (
    <ul className="tags">
      {items.map((item, index) => (
        <li className="tag" key={typeof item === "string" ? item : index}>
          {item}
        </li>
      ))}
    </ul>
  );
}
