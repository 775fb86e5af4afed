/** One column: its heading and how to read a row's cell. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => string | number | undefined;
  readonly align?: "left" | "right";
}

/** An aligned table; `none` is printed instead of a table without rows. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  none: string,
): string {
  if (rows.length === 0) return `${none}\n`;
  const cells = rows.map((row) => columns.map(({ cell }) => printable(cell(row))));
  const lines = [columns.map(({ heading }) => heading), ...cells];
  const widths = columns.map((_column, index) =>
    Math.max(...lines.map((line) => width(line[index]!))),
  );
  const rule = widths.map((size) => "-".repeat(size));
  const print = (line: readonly string[]): string =>
    line
      .map((cell, index) => pad(cell, widths[index]!, columns[index]!.align ?? "left"))
      .join("  ")
      .trimEnd();
  return `${[print(lines[0]!), print(rule), ...cells.map(print)].join("\n")}\n`;
}

const width = (text: string): number => Array.from(text).length;

function pad(text: string, size: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, size - width(text)));
  return align === "left" ? text + space : space + text;
}

/** One line without control characters: what comes from a resource must not drive the terminal. */
function printable(value: string | number | undefined): string {
  return String(value ?? "").replaceAll(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
