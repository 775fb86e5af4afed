import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { badParameter, fileError, notFound, writeFileAtomic } from "#base/kernel";
import type { RotationWish } from "#domain/join";
import { DirectoryJoinStorage } from "./directory-storage.ts";

const FILE = "rotate-key";

/**
 * A wish that lies in a machine's storage, as the id of the key that is to be replaced: so it is done
 * once, whoever dies in between.
 */
export class DirectoryRotationWish implements RotationWish {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, FILE);
  }

  async wanted(keyId: string): Promise<boolean> {
    const wished = await this.#read();
    if (wished === undefined) return false;
    if (wished === keyId) return true;
    await rm(this.#path, { force: true }).catch((error: unknown) => {
      throw fileError(`cannot remove "${this.#path}"`, error);
    });
    return false;
  }

  async write(keyId: string): Promise<void> {
    await writeFileAtomic(this.#path, `${keyId}\n`);
  }

  async #read(): Promise<string | undefined> {
    try {
      return (await readFile(this.#path, "utf8")).trim();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw fileError(`cannot read "${this.#path}"`, error);
    }
  }
}

/** Wishes for the rotation of the key that joins from this storage; gives its id. */
export async function wishRotation(directory: string): Promise<string> {
  const keyId = await boundKeyIn(directory);
  await new DirectoryRotationWish(directory).write(keyId);
  return keyId;
}

/** The id of the key that joins from this storage. */
export async function boundKeyIn(directory: string): Promise<string> {
  const state = await new DirectoryJoinStorage(directory).load();
  if (!state)
    throw notFound(
      `nothing has joined from "${directory}" yet; \`tbot keypair create --overwrite\` replaces a key that is not bound`,
    );
  const [keyId] = state.bound_keys;
  if (keyId === undefined) throw badParameter(`"${directory}" holds no bound key`);
  return keyId;
}
