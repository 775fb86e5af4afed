import { scaleBand, scaleLinear } from "d3-scale";
import { useMemo, useState, type KeyboardEvent, type ReactElement } from "react";
import type { Activity } from "../api/types.ts";
import { useWidth } from "../width.ts";
import { Bars } from "./activity-bars.tsx";
import { countsText, series, spanText, stepsOf, whole, type Step } from "./activity-steps.ts";

const HEIGHT = 168;
const MARGIN = { top: 8, right: 4, bottom: 24, left: 36 };

/** Bars, one for each step; what the one that is pointed at or chosen says stands above them. */
export function ActivityChart({ activity }: { activity: Activity }): ReactElement {
  const steps = useMemo(() => stepsOf(activity), [activity]);
  const all = useMemo(() => whole(steps), [steps]);
  const [ref, width] = useWidth();
  const [chosen, setChosen] = useState<number>();
  const step = chosen === undefined ? undefined : steps[chosen];
  const x = scaleBand<number>()
    .domain(steps.map((_, index) => index))
    .range([MARGIN.left, Math.max(width, 240) - MARGIN.right])
    .paddingInner(0.2);
  const y = scaleLinear()
    .domain([0, Math.max(4, ...steps.map(({ total }) => total))])
    .nice(4)
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const move = (event: KeyboardEvent): void => {
    const next = moved(event.key, chosen ?? steps.length - 1, steps.length);
    if (next === undefined) return;
    event.preventDefault();
    setChosen(next);
  };
  return (
    <div className="activity">
      <Legend
        step={step ?? all}
        most={all}
        title={step ? spanText(step) : `In the last ${activity.range}`}
      />
      <div
        ref={ref}
        className="chart"
        role="slider"
        tabIndex={0}
        aria-label="Activity, step by step"
        aria-valuemin={1}
        aria-valuemax={steps.length}
        aria-valuenow={(chosen ?? steps.length - 1) + 1}
        aria-valuetext={textOf(step ?? steps.at(-1) ?? all)}
        onKeyDown={move}
        onFocus={() => setChosen((now) => now ?? steps.length - 1)}
        onBlur={() => setChosen(undefined)}
        onPointerLeave={() => setChosen(undefined)}
      >
        <Bars
          {...{ steps, x, y, chosen, onChoose: setChosen, range: activity.range, height: HEIGHT }}
        />
      </div>
      <StepTable steps={steps} />
    </div>
  );
}

const textOf = (step: Step): string => `${spanText(step)}: ${countsText(step)}`;

function moved(key: string, at: number, count: number): number | undefined {
  const to: Readonly<Record<string, number>> = {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    PageDown: at - 10,
    PageUp: at + 10,
    Home: 0,
    End: count - 1,
  };
  const next = to[key];
  return next === undefined ? undefined : Math.min(Math.max(next, 0), count - 1);
}

/** As wide as its largest numbers, so that nothing moves while one looks from step to step. */
const Legend = ({
  step: { counts },
  most,
  title,
}: {
  step: Step;
  most: Step;
  title: string;
}): ReactElement => (
  <div className="legend">
    <p className="soft">{title}</p>
    <ul>
      {series.map(([name, heading]) => (
        <li key={name} className={counts[name] ? "" : "soft"}>
          <span className={`swatch ${name}`} aria-hidden="true" />
          {heading}{" "}
          <strong className="number" style={{ minWidth: `${text(most, name).length}ch` }}>
            {text({ counts }, name)}
          </strong>
        </li>
      ))}
    </ul>
  </div>
);

const text = ({ counts }: Pick<Step, "counts">, name: string): string =>
  (counts[name] ?? 0).toLocaleString();

/** The same numbers, to be read. */
function StepTable({ steps }: { steps: readonly Step[] }): ReactElement {
  const busy = steps.filter(({ total }) => total > 0);
  return (
    <details>
      <summary>As a table</summary>
      {busy.length === 0 ? (
        <p className="soft">Nothing happened in this time.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Activity as a table">
          <table className="plain">
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map(([name, title]) => (
                  <th key={name} scope="col" className="number">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {busy.map((step) => (
                <tr key={step.start}>
                  <th scope="row">{spanText(step)}</th>
                  {series.map(([name]) => (
                    <td key={name} className="number">
                      {step.counts[name]}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {busy.length > 0 && busy.length < steps.length && (
        <p className="soft">In the other {steps.length - busy.length} steps nothing happened.</p>
      )}
    </details>
  );
}
