/** RFC 3339 of milliseconds since the epoch, to the second; empty for 0. */
export const timeOf = (ms: bigint | number): string =>
  Number(ms) === 0 ? "" : secondsOf(new Date(Number(ms)).toISOString());

/** An RFC 3339 time without its fraction. */
export const secondsOf = (time: string): string => time.replace(/\.\d+(?=Z|[+-])/, "");
