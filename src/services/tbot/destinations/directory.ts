import { constants } from "node:fs";
import { access, lstat, mkdir, readFile } from "node:fs/promises";
import { dirname, join, parse, resolve } from "node:path";
import {
  accessDenied,
  grantByAcl,
  messageOf,
  unavailable,
  writeFileAtomic,
  type AclPolicy,
} from "#base/kernel";
import type { Artifact, Destination } from "./destination.ts";

export interface DirectoryOptions extends AclPolicy {
  readonly path: string;
  /** `secure` refuses a path that leads through a symbolic link, `try-secure` warns, `insecure` follows. */
  readonly symlinks: "try-secure" | "secure" | "insecure";
}

/** A directory that only its owner (and the named readers) can enter; each file is replaced whole. */
export class DirectoryDestination implements Destination {
  readonly #options: DirectoryOptions;
  readonly #path: string;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#path = resolve(options.path);
  }

  async prepare(): Promise<void> {
    await this.#refuseSymlinks();
    try {
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
      await access(this.#path, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      throw unavailable(
        `cannot write to the directory "${this.#path}" (${messageOf(error)}); choose another destination or mend its permissions`,
        { cause: error },
      );
    }
    await grantByAcl(this.#path, "rx", this.#options);
  }

  async write(artifacts: readonly Artifact[]): Promise<void> {
    for (const { name, data, public: isPublic } of artifacts) {
      const grant = (temporary: string): Promise<void> => grantByAcl(temporary, "r", this.#options);
      await writeFileAtomic(join(this.#path, name), data, {
        mode: isPublic ? 0o644 : 0o600,
        ...(isPublic ? {} : { beforeRename: grant }),
      });
    }
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#path, name));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw unavailable(`cannot read "${join(this.#path, name)}" (${messageOf(error)})`, {
        cause: error,
      });
    }
  }

  toString(): string {
    return this.#path;
  }

  async #refuseSymlinks(): Promise<void> {
    if (this.#options.symlinks === "insecure") return;
    const link = await firstSymlink(this.#path);
    if (link === undefined) return;
    if (this.#options.symlinks === "secure") {
      throw accessDenied(
        `the destination "${this.#path}" leads through the symbolic link "${link}"; name the real path, or set symlinks: insecure if whoever owns the link may choose where credentials go`,
      );
    }
    this.#options.log.warn("destination leads through a symbolic link", { path: this.#path, link });
  }
}

/** The first component of an absolute path that is a symbolic link; missing components are none. */
async function firstSymlink(path: string): Promise<string | undefined> {
  if (path === parse(path).root) return undefined;
  const above = await firstSymlink(dirname(path));
  if (above !== undefined) return above;
  const found = await lstat(path).catch(() => undefined);
  return found?.isSymbolicLink() ? path : undefined;
}
