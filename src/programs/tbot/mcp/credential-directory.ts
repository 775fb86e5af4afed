import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ensurePrivateDirectory } from "#base/kernel";

/** Where credentials for an agent are: what it was told, or a place that goes when it goes. */
export class CredentialDirectory implements AsyncDisposable {
  readonly #given: string | undefined;
  readonly #base: string;
  #made: Promise<string> | undefined;

  /** `base` holds the place of its own: a runtime directory where there is one. */
  constructor(given: string | undefined, base: string | undefined) {
    this.#given = given;
    this.#base = base ?? tmpdir();
  }

  /** Made when it is first needed. */
  async path(): Promise<string> {
    if (this.#given === undefined)
      return await (this.#made ??= mkdtemp(join(this.#base, "tbot-mcp-")));
    const path = resolve(this.#given);
    await ensurePrivateDirectory(path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#made) await rm(await this.#made, { recursive: true, force: true });
  }
}
