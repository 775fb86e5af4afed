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
  await clearSocketPath(path);
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

/**
 * Removes what a process left at the path of a socket when it ended. `already_exists` when one still
 * answers, `bad_parameter` for a path that is too long or holds a file.
 */
export async function clearSocketPath(path: string): Promise<void> {
  checkLength(path);
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) throw badParameter(`"${path}" is a file, not a socket; remove it`);
  const answer = await knock(path);
  if (answer === "alive")
    throw alreadyExists(
      `another process already serves "${path}"; stop it, or choose another path`,
    );
  if (answer === "ECONNREFUSED") await rm(path, { force: true });
}

/** Whether somebody listens there: `alive`, or the system's error code. */
function knock(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve("alive");
    });
    socket.once("error", (error) => resolve("code" in error ? String(error.code) : "unknown"));
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
