import { durationMs } from "#base/config";
import { systemClock } from "#base/kernel";
import * as z from "zod";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

export const isDuration = (text: string): boolean => DURATION.test(text);
export const isTime = (text: string): boolean => TIME.test(text) && !Number.isNaN(Date.parse(text));

/** A time to come, as a flag takes it; `never` takes away what was there. */
export const future = z
  .string()
  .refine((text) => text === "never" || isDuration(text) || isTime(text), {
    error: "must be a time such as 2026-01-31T12:00:00Z, a time from now such as 30m, or never",
  });

/** RFC 3339; `undefined` for never. */
export function futureTime(text: string): string | undefined {
  if (text === "never") return undefined;
  return isDuration(text) ? timeOf(systemClock.now() + durationMs(text)) : text;
}

/** RFC 3339 of milliseconds since the epoch, to the second; empty for 0. */
export const timeOf = (ms: bigint | number): string =>
  Number(ms) === 0 ? "" : secondsOf(new Date(Number(ms)).toISOString());

/** An RFC 3339 time without its fraction. */
export const secondsOf = (time: string): string => time.replace(/\.\d+(?=Z|[+-])/, "");
