import type { ErrorCode } from "#base/kernel";
import type { Write } from "./store.ts";

/** Why a batch was refused; plain data, because it crosses from a worker thread. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  /** For the log only. */
  readonly detail?: string;
}

type Condition = Pick<Write, "kind" | "name"> & {
  readonly op: Write["op"];
  readonly revision?: string | null;
};
type Check = (write: Condition, current: string | undefined) => Failure | undefined;

/** What each operation demands of the live item's revision (`undefined`: there is none). */
const checks: Readonly<Record<Write["op"], Check>> = {
  put: () => undefined,
  create: (write, current) =>
    current === undefined
      ? undefined
      : { code: "already_exists", message: `${nameOf(write)} already exists` },
  update: (write, current) => (current === write.revision ? undefined : changed(write, current)),
  delete: (write, current) => {
    if (current === undefined) {
      return { code: "not_found", message: `${nameOf(write)} does not exist` };
    }
    if (write.revision === undefined || write.revision === current) return undefined;
    return changed(write, current);
  },
  check: (write, current) =>
    current === (write.revision ?? undefined) ? undefined : changed(write, current),
};

export const checkCondition: Check = (write, current) => checks[write.op](write, current);

const nameOf = (write: Condition): string => `${write.kind} "${write.name}"`;

function changed(write: Condition, current: string | undefined): Failure {
  const expected = write.revision === null ? "to be absent" : `at revision "${write.revision}"`;
  const found = current === undefined ? "is absent" : `is at revision "${current}"`;
  const message = `${nameOf(write)} was expected ${expected} but ${found}; read it again and retry`;
  return { code: "compare_failed", message };
}
