import { Tooltip } from "./tooltip.tsx";
import type { ReactElement } from "react";
import { useNow } from "./now.ts";

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

interface TimeProps {
  /** RFC 3339; empty: there is none. */
  readonly at: string;
  /** What stands where there is no time. */
  readonly none?: string;
}

/** How long ago, or how soon; the exact time when pointed at: for rows of a table. */
export function Time({ at, none = "never" }: TimeProps): ReactElement {
  const now = useNow();
  if (at === "") return <span className="soft">{none}</span>;
  const time = new Date(at);
  return (
    <time dateTime={at} title={exact.format(time)}>
      {distance(time.getTime() - now)}
    </time>
  );
}

/** The same where there is room for a stop of the keyboard: the exact time shows on focus too. */
export function ExactTime({ at, none = "never" }: TimeProps): ReactElement {
  const now = useNow();
  if (at === "") return <span className="soft">{none}</span>;
  const time = new Date(at);
  return (
    <Tooltip text={exact.format(time)}>
      <span tabIndex={0} role="note" className="explained">
        <time dateTime={at}>{distance(time.getTime() - now)}</time>
      </span>
    </Tooltip>
  );
}
