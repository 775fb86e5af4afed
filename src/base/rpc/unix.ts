import {
  alreadyExists,
  badParameter,
  type CodedError,
  fileError,
  isPrivate,
  unavailable,
} from "#base/kernel";
import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, resolve } from "node:path";
import { MAX_UNIX_PATH_BYTES } from "./limits.ts";

/**
 * Listens on a socket file that only its owner may open: 0600 in a directory of 0700, which is made
 * when missing. A file left behind by a process that ended is replaced; `already_exists` when one
 * still answers, `bad_parameter` for a path that cannot be used.
 */
export async function listenUnix(path: string, accept: (socket: Socket) => void): Promise<Server> {
  checkLength(path);
  await privateDirectory(dirname(resolve(path)));
  await removeStale(path);
  const server = createServer(accept);
  await listening(server, path);
  await chmod(path, 0o600);
  return server;
}

export function checkLength(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_UNIX_PATH_BYTES) return;
  throw badParameter(
    `the socket path "${path}" has ${bytes} bytes, and ${MAX_UNIX_PATH_BYTES} is the most the system can hold; choose a shorter one`,
  );
}

async function privateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      throw badParameter(`"${path}" is not a directory, and cannot hold a socket; name another`);
    throw fileError(`cannot make the directory "${path}" of the socket`, error);
  }
  const { mode } = await lstat(path);
  if (await isPrivate(path, mode)) return;
  throw badParameter(
    `the directory "${path}" is open to other users (mode ${(mode & 0o7777).toString(8)}), and the socket in it would be too; give the socket a directory of its own, or run chmod 700 on this one`,
  );
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) throw badParameter(`"${path}" is a file, not a socket; remove it`);
  if (await answers(path)) {
    throw alreadyExists(
      `another process already serves "${path}"; stop it, or choose another path`,
    );
  }
  await rm(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => reject(cannotListen(path, cause));
    server.once("error", refuse);
    server.listen(path, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

const cannotListen = (path: string, cause: Error): CodedError =>
  unavailable(`cannot listen on "${path}": ${cause.message}`, { cause });
