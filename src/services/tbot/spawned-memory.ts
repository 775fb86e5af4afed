import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic, type Logger } from "#base/kernel";
import * as z from "zod";

const FILE = "spawned-services.json";
const content = z.object({ services: z.array(z.string()) });

/** Names of spawned services, kept where the next start of the bot finds them. */
export interface SpawnedMemory {
  load(): Promise<readonly string[]>;
  save(names: readonly string[]): Promise<void>;
}

/** In a file of the bot's storage directory. */
export class DirectorySpawnedMemory implements SpawnedMemory {
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, FILE);
  }

  /** What cannot be read is not there: it is only told to people. */
  async load(): Promise<readonly string[]> {
    const text = await readFile(this.#file, "utf8").catch(() => "");
    try {
      return content.parse(JSON.parse(text)).services;
    } catch {
      return [];
    }
  }

  async save(names: readonly string[]): Promise<void> {
    await writeFileAtomic(this.#file, `${JSON.stringify({ services: names })}\n`);
  }
}

interface KeeperOptions {
  readonly memory: SpawnedMemory;
  /** Of the services that are there now. */
  readonly names: (which: "all" | "spawned") => readonly string[];
  readonly log: Logger;
}

/** Saves one state at a time: of several changes during a write, the last is written after it. */
export class SpawnedKeeper {
  readonly #options: KeeperOptions;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Says which services the last run had spawned, and this one does not have. */
  async tellLost(): Promise<void> {
    const { memory, names, log } = this.#options;
    const here = new Set(names("all"));
    const lost = (await memory.load()).filter((name) => !here.has(name));
    if (lost.length > 0)
      log.warn("services that were spawned before this start are gone: spawn them again", {
        services: lost.join(", "),
      });
    await this.changed();
  }

  /** Resolves once the names are kept as they are now, or could not be. */
  changed(): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      this.#writing = this.#write();
      return this.#writing;
    });
    return this.#next;
  }

  async #write(): Promise<void> {
    const { memory, names, log } = this.#options;
    try {
      await memory.save(names("spawned"));
    } catch (error) {
      log.warn("cannot remember the names of spawned services", { error });
    }
  }
}
