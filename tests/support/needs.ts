import { accessSync, constants, globSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Commands (and libraries) of other packages that some suites use, and the Debian package of each. */
export const debianPackages = {
  chromium: "chromium",
  curl: "curl",
  "dbus-daemon": "dbus-daemon",
  kill: "procps",
  openssl: "openssl",
  "pkcs11-tool": "opensc",
  perl: "perl-base",
  script: "bsdutils",
  "softhsm2-util": "softhsm2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  swtpm: "swtpm",
  "systemd-analyze": "systemd",
  "tpm2-abrmd": "tpm2-abrmd",
  // Libraries: a PKCS#11 module for TPMs, and the ways to swtpm and to its resource manager.
  "pkcs11/libtpm2_pkcs11.so": "libtpm2-pkcs11-1",
  "libtss2-tcti-swtpm.so.0": "libtss2-tcti-swtpm0",
  "libtss2-tcti-tabrmd.so.0": "libtss2-tcti-tabrmd0",
} as const;

export type Command = keyof typeof debianPackages;

export function hasCommand(command: string): boolean {
  if (command.includes(".so")) return globSync(`/usr/lib/*/${command}`).length > 0;
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
