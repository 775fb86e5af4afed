import { useEffect, useState, type ReactElement } from "react";

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

function distance(ms: number): string {
  const [unit, size] = units.find(([, size]) => Math.abs(ms) >= size) ?? units[3];
  return relative.format(Math.round(ms / size), unit);
}

/** How long ago, or how soon; the exact time when pointed at. `none` where there is no time. */
export function Time({ at, none = "never" }: { at: string; none?: string }): ReactElement {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  if (at === "") return <span className="soft">{none}</span>;
  const time = new Date(at);
  return (
    <time dateTime={at} title={exact.format(time)}>
      {distance(time.getTime() - now)}
    </time>
  );
}
