import type { ReactElement, ReactNode } from "react";

export interface PanelProps {
  readonly title: string;
  readonly actions?: ReactNode;
  /** Without a margin of its own: for tables. */
  readonly flush?: boolean;
  readonly children: ReactNode;
}

/** One section of a page, with a heading of its own. */
export const Panel = ({ title, actions, flush, children }: PanelProps): ReactElement => (
  <section className="panel" aria-label={title}>
    <header>
      <h2>{title}</h2>
      <div className="row">{actions}</div>
    </header>
    <div className={flush ? "content flush" : "content"}>{children}</div>
  </section>
);

/** Names and what they stand for, aligned. */
export const Facts = ({
  items,
}: {
  items: readonly (readonly [name: string, value: ReactNode])[];
}): ReactElement => (
  <dl className="facts">
    {items.flatMap(([name, value]) => [
      <dt key={name}>{name}</dt>,
      <dd key={`${name} value`}>{value}</dd>,
    ])}
  </dl>
);
