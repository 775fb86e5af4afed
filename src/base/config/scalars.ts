import { badParameter } from "#base/kernel";
import * as z from "zod";

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Milliseconds of a duration such as `30m`, `43200s` or `1h30m`; throws `bad_parameter`. */
export function durationMs(text: string): number {
  if (!DURATION.test(text))
    throw badParameter(`"${text}" is not a duration; write it like 30s, 20m, 1h30m or 7d`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * UNITS_MS[unit!]!;
  }
  return Math.round(total);
}

/** The shortest exact spelling: 5400000 is `1h30m`. */
export function formatDuration(ms: number): string {
  let left = Math.round(ms);
  let text = "";
  for (const [unit, size] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
    ["ms", 1],
  ] as const) {
    if (left >= size) text += `${Math.floor(left / size)}${unit}`;
    left %= size;
  }
  return text || "0s";
}

/** A duration as people write it; `durationMs` reads it. */
export const duration = z
  .string({ error: "must be a duration such as 30s, 20m, 1h30m or 7d" })
  .regex(DURATION, { error: "must be a duration such as 30s, 20m, 1h30m or 7d" })
  .meta({ typeName: "duration" });

/** RFC 3339 with an offset; `Date.parse` reads it. */
export const timestamp = z.iso
  .datetime({ offset: true, error: "must be an RFC 3339 time such as 2026-01-31T12:00:00Z" })
  .meta({ typeName: "time" });
