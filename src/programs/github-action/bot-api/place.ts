import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError } from "#base/kernel";

/** Where one bot of a job has its files; only the job's user can enter. */
export interface Place {
  readonly directory: string;
  /** `unix:///…` */
  readonly socket: string;
  readonly log: string;
  readonly configuration: string;
  /** Goes on PATH: holds `tbot`. */
  readonly bin: string;
}

/** A system's `sun_path` holds 104 bytes (macOS) or 108, with the zero at its end. */
const MAX_SOCKET_BYTES = 103;
const SOCKET = "api.sock";

/** A directory of this bot alone: in the first of the given ones that leaves room for a socket's path. */
export async function makePlace(
  parents: readonly string[],
  listen: string | undefined,
): Promise<Place> {
  const parent = parents.find((each) => fits(each)) ?? parents[0]!;
  const directory = await mkdtemp(join(parent, "tbot-")).catch((error: unknown) => {
    throw fileError(`cannot make a directory in "${parent}"`, error);
  });
  return placeIn(directory, listen);
}

function placeIn(directory: string, listen?: string): Place {
  return {
    directory,
    socket: listen ?? `unix://${join(directory, SOCKET)}`,
    log: logIn(directory),
    configuration: join(directory, "config.yaml"),
    bin: join(directory, "bin"),
  };
}

export const logIn = (directory: string): string => join(directory, "tbot.log");

const fits = (parent: string): boolean =>
  Buffer.byteLength(join(parent, "tbot-XXXXXX", SOCKET)) <= MAX_SOCKET_BYTES;

/** `tbot` for the `run:` steps of the job. */
export async function putOnPath({ bin }: Place, command: readonly string[]): Promise<void> {
  await mkdir(bin, { mode: 0o700 });
  const words = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
  await writeFile(join(bin, "tbot"), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
  await chmod(join(bin, "tbot"), 0o700);
}
