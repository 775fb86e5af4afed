import type { Artifact, Destination } from "./destination.ts";

/** Keeps artifacts for the life of the process: for programs that embed a bot, and for tests. */
export class MemoryDestination implements Destination {
  readonly #files = new Map<string, Uint8Array>();

  async prepare(): Promise<void> {}

  async write(artifacts: readonly Artifact[]): Promise<void> {
    for (const { name, data } of artifacts) this.#files.set(name, Buffer.from(data));
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return this.#files.get(name);
  }

  toString(): string {
    return "memory";
  }
}
