import { lockForProcess } from "#base/kernel";
import { join } from "node:path";

/**
 * Makes this process the only one that opens stores in `directory`, until disposed. (The database
 * itself cannot be locked exclusively: we read it through a second connection.)
 */
export function lockDirectory(directory: string): Disposable {
  return lockForProcess(
    join(directory, "store"),
    (holder) =>
      `the store in "${directory}" is open in another process${holder}; stop that one, or use another directory`,
  );
}
