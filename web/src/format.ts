const byteUnits = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** `1.2 MB`; exact beneath a thousand, where the standard would write "33 byte". */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const power = Math.floor(Math.log10(bytes) / 3);
  const unit = byteUnits[Math.min(power, byteUnits.length - 1)]!;
  const value = bytes / 1_000 ** byteUnits.indexOf(unit);
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(undefined, style).format(value);
}

const timeUnits = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** `2 h 5 min`: the two largest units that count. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const first = timeUnits.findIndex(([, size]) => ms >= size);
  let left = ms;
  const parts = timeUnits.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count > 0 ? `${count} ${unit}` : "";
  });
  return parts.filter((part) => part !== "").join(" ");
}

/** `1 role`, `2 roles`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;
