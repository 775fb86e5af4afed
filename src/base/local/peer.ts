import { badParameter, messageOf, type Reader } from "#base/kernel";
import type { ContextKey, HandlerContext } from "@connectrpc/connect";
import { execFile } from "node:child_process";
import { readlink } from "node:fs/promises";
import type { Socket } from "node:net";
import { endianness, platform } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The process at the other end, as the kernel knew it when it connected. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Of its program, where this process may see it. */
  readonly executable?: string;
}

const peerKey: ContextKey<Peer | undefined> = { id: Symbol("peer"), defaultValue: undefined };

/** Who makes a call. */
export function peerOf(context: Pick<HandlerContext, "values">): Peer {
  const peer = context.values.get(peerKey);
  if (!peer) throw new TypeError("the call did not come through a local server");
  return peer;
}

export { peerKey };

/** With which a caller says what a call is for, for the log; its own word, proving nothing. */
export const PURPOSE_HEADER = "tenon-purpose";
const MAX_PURPOSE = 64;

/** What the caller says that it calls for; nothing where it says nothing, or not in plain words. */
export function purposeOf(headers: Headers): string | undefined {
  const purpose = headers.get(PURPOSE_HEADER) ?? "";
  return purpose.length <= MAX_PURPOSE && /^[\w./-]+$/.test(purpose) ? purpose : undefined;
}

/** What the kernel says of a connection; its supplementary groups only when they are asked for. */
export interface KernelWord extends Omit<Peer, "executable"> {
  readonly groups: () => readonly number[];
}

/** From Linux's `asm-generic/socket.h`. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
/** `NGROUPS_MAX` of Linux. */
const MAX_GROUPS = 65_536;

type GetSockOpt = (fd: number, level: number, name: number, out: Buffer, bytes: Buffer) => number;

/** Loads what asks the kernel; `bad_parameter` where this cannot be done. */
export async function peerReader(): Promise<(socket: Socket) => KernelWord | undefined> {
  if (platform() !== "linux")
    throw badParameter(
      `a local API asks the kernel who calls, which this program can do on Linux only, and this is ${platform()}`,
    );
  const { default: koffi } = await import("koffi").catch((cause: unknown) => {
    throw badParameter(
      `a local API needs the package "koffi", which has no build for this machine (${messageOf(cause)})`,
      { cause },
    );
  });
  const types = ["int", "int", "int", "void *", "void *"];
  const call = koffi.load(null).func("getsockopt", "int", types) as unknown as GetSockOpt;
  return (socket) => ask(call, socket);
}

function ask(getsockopt: GetSockOpt, socket: Socket): KernelWord | undefined {
  const fd = descriptorOf(socket);
  if (fd === undefined) return undefined;
  const read = (name: number, bytes: number): number[] | undefined => {
    const length = words([bytes]);
    const out = Buffer.alloc(bytes);
    if (getsockopt(fd, SOL_SOCKET, name, out, length) !== 0) return undefined;
    return numbers(out.subarray(0, numbers(length)[0]));
  };
  const credentials = read(SO_PEERCRED, 12);
  if (!credentials) return undefined;
  const [pid, uid, gid] = credentials as [number, number, number];
  return { pid, uid, gid, groups: () => read(SO_PEERGROUPS, 4 * MAX_GROUPS) ?? [] };
}

const little = endianness() === "LE";

const numbers = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, at) =>
    little ? bytes.readUInt32LE(4 * at) : bytes.readUInt32BE(4 * at),
  );

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries())
    if (little) bytes.writeUInt32LE(value, 4 * at);
    else bytes.writeUInt32BE(value, 4 * at);
  return bytes;
}

/** Node shows a socket's descriptor nowhere else. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { _handle?: { fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}

export async function describePeer({ pid, uid, gid }: KernelWord): Promise<Peer> {
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return { pid, uid, gid, ...(executable === undefined ? {} : { executable }) };
}

/** The numbers of those who may call: the owner of the socket, root, and the readers. */
export interface Admitted {
  readonly users: ReadonlySet<number>;
  readonly groups: ReadonlySet<number>;
}

/** Root and the readers; who owns the socket is known when it is there. */
export async function admitted(readers: readonly Reader[]): Promise<Admitted> {
  const users = new Set([0]);
  const groups = new Set<number>();
  for (const reader of readers)
    if ("user" in reader) users.add(await idOf("passwd", reader.user));
    else groups.add(await idOf("group", reader.group));
  return { users, groups };
}

export function isAdmitted(word: KernelWord, { users, groups }: Admitted): boolean {
  if (users.has(word.uid) || groups.has(word.gid)) return true;
  return groups.size > 0 && word.groups().some((group) => groups.has(group));
}

/** Asks the system's own name service, which may know more than /etc/passwd. */
async function idOf(database: "passwd" | "group", name: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const { stdout } = await run("getent", [database, "--", name]).catch((cause: unknown) => {
    const what = database === "passwd" ? "user" : "group";
    throw badParameter(`the reader "${name}" is no ${what} of this system; name an existing one`, {
      cause,
    });
  });
  return Number(stdout.split(":")[2]);
}
