import { writeSync } from "node:fs";

/** Prints a line at once, so that it is told before a kill can strike. */
export function tell(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; rest = rest.subarray(written(rest)));
}

/** Nothing is written while the reader of a full pipe is slow. */
function written(bytes: Buffer): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}
