import type { Activity } from "../api/types.ts";

/** What a bot does, in the order in which it is drawn from the ground up. */
export const series = [
  ["refresh", "Refreshes"],
  ["join", "Joins"],
  ["recovery", "Recoveries"],
  ["certificate", "Certificates"],
  ["connection", "Connections"],
  ["failure", "Failures"],
] as const;

export interface Step {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly total: number;
}

export function stepsOf({ from, step_seconds, lines }: Activity): readonly Step[] {
  const start = Date.parse(from);
  const stepMs = step_seconds * 1_000;
  return (lines[0]?.counts ?? []).map((_, index) => {
    const counts = Object.fromEntries(
      lines.map(({ activity, counts: of }) => [activity, of[index] ?? 0]),
    );
    const at = start + index * stepMs;
    return { start: at, end: at + stepMs, counts, total: sum(Object.values(counts)) };
  });
}

/** All steps as one. */
export function whole(steps: readonly Step[]): Step {
  const names = series.map(([name]) => name);
  const counts = Object.fromEntries(
    names.map((name) => [name, sum(steps.map((step) => step.counts[name] ?? 0))]),
  );
  const [first, last] = [steps[0]?.start ?? 0, steps.at(-1)?.end ?? 0];
  return { start: first, end: last, counts, total: sum(Object.values(counts)) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

const day = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
});
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** `Tue 3 Mar, 14:00 to 14:30`. */
export const spanText = ({ start, end }: Pick<Step, "start" | "end">): string =>
  end - start >= 86_400_000
    ? `${day.format(start)} to ${day.format(end)}`
    : `${day.format(start)}, ${clock.format(start)} to ${clock.format(end)}`;

/** `2 refreshes, 1 failure`. */
export function countsText({ counts, total }: Step): string {
  if (total === 0) return "nothing";
  return series
    .filter(([name]) => (counts[name] ?? 0) > 0)
    .map(([name, title]) => `${counts[name]} ${title.toLowerCase()}`)
    .join(", ");
}

/** Under the chart: hours of a day, days of a week. */
export const tickText = (at: number, range: string): string =>
  range === "week" ? day.format(at) : clock.format(at);
