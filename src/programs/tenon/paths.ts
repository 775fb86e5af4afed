import { existsSync } from "node:fs";
import { join } from "node:path";

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the process runs as root. */
  readonly root: boolean;
}

/** `/var/lib/tenon` for root, else `tenon` in the XDG state directory. */
export function defaultDataDir({ env, root }: Surroundings): string {
  if (root) return "/var/lib/tenon";
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] || "/", ".local", "state");
  return join(state, "tenon");
}

/** Where a local administrator's `tctl` reaches the cluster. */
export const adminSocketPath = (dataDir: string): string => join(dataDir, "admin.sock");

/** The built web page: beside the bundle, or in the workspace that it is built in. */
export function webRoot(): string {
  const bundled = join(import.meta.dirname, "web");
  return existsSync(bundled) ? bundled : join(import.meta.dirname, "../../../web/dist");
}
