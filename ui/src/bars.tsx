import type { ReactElement, ReactNode } from "react";

export interface Bar {
  readonly key: string;
  readonly name: ReactNode;
  readonly count: number;
  /** Absent: it cannot be pressed. */
  readonly onPress?: () => void;
  readonly isOn?: boolean;
}

/** How many there are of each, drawn as parts of a whole. */
export const Bars = ({
  label,
  bars,
  total,
}: {
  label: string;
  bars: readonly Bar[];
  total: number;
}): ReactElement => (
  <ul className="bars" aria-label={label}>
    {bars.map((bar) => (
      <li key={bar.key}>
        {bar.onPress ? (
          <button type="button" aria-pressed={bar.isOn ?? false} onClick={bar.onPress}>
            <Share bar={bar} total={total} />
          </button>
        ) : (
          <div className="bar">
            <Share bar={bar} total={total} />
          </div>
        )}
      </li>
    ))}
  </ul>
);

const PERCENT = 100;

function Share({ bar, total }: { bar: Bar; total: number }): ReactElement {
  const percent = total === 0 ? 0 : (bar.count / total) * PERCENT;
  return (
    <>
      <span className="name">{bar.name}</span>
      <span className="track" aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </span>
      <span className="count">
        {bar.count.toLocaleString("en")} <span className="soft">{percentText(percent)}</span>
      </span>
    </>
  );
}

const percentText = (percent: number): string =>
  percent > 0 && percent < 1 ? "<1 %" : `${Math.round(percent)} %`;
