import type { ScaleBand, ScaleLinear } from "d3-scale";
import type { ReactElement } from "react";
import { series, tickText, type Step } from "./activity-steps.ts";

interface BarsProps {
  readonly steps: readonly Step[];
  readonly x: ScaleBand<number>;
  readonly y: ScaleLinear<number, number>;
  readonly chosen: number | undefined;
  readonly onChoose: (index: number) => void;
  readonly range: string;
  readonly height: number;
}

/** Of an hour by minutes every tenth, of a day by half hours every eighth, of a week by three hours each day. */
const everyTick: Readonly<Record<string, number>> = { hour: 10, day: 8, week: 8 };
/** A wider label than a time of day needs room. */
const LABEL_PX = 64;

/** The drawing alone: what it says is said elsewhere. */
export function Bars(props: BarsProps): ReactElement {
  const { steps, x, y, chosen, onChoose, range, height } = props;
  const [left, right] = x.range();
  const ground = y(0);
  const every = tickEvery(props);
  return (
    <svg width={right} height={height} aria-hidden="true" focusable="false">
      {y.ticks(3).map((tick) => (
        <g key={tick} className="grid">
          <line x1={left} x2={right} y1={y(tick)} y2={y(tick)} />
          <text x={left - 6} y={y(tick)} dy="0.32em" textAnchor="end">
            {tick.toLocaleString()}
          </text>
        </g>
      ))}
      {steps.map((step, index) => (
        <g key={step.start} className={index === chosen ? "step chosen" : "step"}>
          <rect
            className="ground"
            x={x(index)! - (x.step() - x.bandwidth()) / 2}
            width={x.step()}
            y={0}
            height={ground}
            onPointerEnter={() => onChoose(index)}
            onPointerDown={() => onChoose(index)}
          />
          {stack(step).map(({ name, from, to }) => (
            <rect
              key={name}
              className={`bar ${name}`}
              x={x(index)}
              width={x.bandwidth()}
              y={y(to)}
              height={Math.max(y(from) - y(to), 1)}
            />
          ))}
          {index % every === 0 && (
            <text className="tick" x={x(index)} y={height - 6}>
              {tickText(step.start, range)}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

/** On a narrow screen fewer, so that none covers the next. */
function tickEvery({ range, x }: BarsProps): number {
  const every = everyTick[range] ?? 10;
  const fits = Math.ceil((range === "week" ? LABEL_PX * 1.3 : LABEL_PX) / x.step());
  return Math.ceil(fits / every) * every;
}

function stack({ counts }: Step): { name: string; from: number; to: number }[] {
  let from = 0;
  return series.flatMap(([name]) => {
    const count = counts[name] ?? 0;
    if (count === 0) return [];
    const to = from + count;
    const part = { name, from, to };
    from = to;
    return [part];
  });
}
