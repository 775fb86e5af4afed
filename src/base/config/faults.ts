import { badParameter, type CodedError } from "#base/kernel";
import type { Path, Place } from "./tree.ts";

/** One thing wrong with a configuration. */
export interface Fault {
  readonly place: Place;
  /** `services[1].listen`; empty for the whole document. */
  readonly path: string;
  /** What was wrong, what was allowed, and the nearest name; never a secret. */
  readonly problem: string;
}

/** More would scroll the first, which often caused the rest, off the screen. */
const MAX_FAULTS = 50;

/** `bad_parameter` that lists every fault in the order of the source; `what` names the source. */
export function faultsError(what: string, faults: readonly Fault[]): CodedError {
  const sorted = faults.toSorted((a, b) => a.place.order - b.place.order);
  const cause = new FaultList(sorted);
  const lines = sorted.slice(0, MAX_FAULTS).map(formatFault);
  if (sorted.length > MAX_FAULTS) lines.push(`and ${sorted.length - MAX_FAULTS} more`);
  if (sorted.length === 1) return badParameter(lines[0]!, { cause });
  return badParameter([`${what} has ${sorted.length} faults:`, ...lines].join("\n  "), { cause });
}

/** The faults behind an error of this room; none for any other error. */
export function faultsOf(error: unknown): readonly Fault[] {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof FaultList ? cause.faults : [];
}

export function formatFault(fault: Fault): string {
  const path = fault.place.named ? "" : fault.path;
  return [fault.place.text, path, fault.problem].filter(Boolean).join(": ");
}

/** `spec.labels["tenon.dev/x"][2]` */
export function formatPath(path: Path): string {
  const segments = path.map((segment) => {
    if (typeof segment === "number") return `[${segment}]`;
    return /^[A-Za-z_][\w-]*$/.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`;
  });
  return segments.join("").replace(/^\./, "");
}

class FaultList extends Error {
  override readonly name = "FaultList";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(`${faults.length} faults`);
    this.faults = faults;
  }
}
