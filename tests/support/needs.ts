import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Commands of other packages that some suites talk to, and the Debian package of each. */
export const debianPackages = {
  curl: "curl",
  openssl: "openssl",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
} as const;

export type Command = keyof typeof debianPackages;

export function hasCommand(command: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Options of a suite that talks to these commands. Where one is missing (a machine on which nobody
 * may install packages) the suite is left out, and says why.
 */
export function needs(...commands: readonly Command[]): { skip: string | false } {
  const missing = commands.filter((command) => !hasCommand(command));
  return { skip: missing.length > 0 ? `needs ${missing.join(", ")}` : false };
}
