import { endianness } from "node:os";
import type { CommandIo } from "#base/cli";
import { deadline, messageOf, type Clock, type Logger } from "#base/kernel";
import type { Readiness, ServiceStatus } from "#services/tbot";

/** A start that waits longer for a cluster that does not answer would hold up the machine's own. */
const READY_AFTER_MS = 30_000;

export interface Notified {
  readonly env: CommandIo["env"];
  readonly readiness: Readiness;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Tells systemd, where it asks (sd_notify(3)), that the bot is started once every service has said how
 * it is, and from then on how they are, for `systemctl status`. Returns at once; disposing says that
 * the bot ends.
 */
export async function notifySystemd(notified: Notified): Promise<Disposable> {
  const path = notified.env["NOTIFY_SOCKET"];
  if (path === undefined || path === "") return { [Symbol.dispose]: () => {} };
  const send = await sender(path, notified.log).catch((error: unknown): Send => {
    notified.log.warn("cannot tell systemd", { error: messageOf(error) });
    return () => {};
  });
  const over = new AbortController();
  const signal = AbortSignal.any([notified.signal, over.signal]);
  void tell({ ...notified, signal }, send);
  return {
    [Symbol.dispose]: () => {
      over.abort();
      send("STOPPING=1");
    },
  };
}

type Send = (state: string) => void;

async function tell({ readiness, clock, signal }: Notified, send: Send): Promise<void> {
  using limit = deadline(clock, READY_AFTER_MS, signal);
  await readiness.settled({ signal: limit.signal });
  if (signal.aborted) return;
  let last = statusOf(readiness.all());
  send(`READY=1\nSTATUS=${last}`);
  const watch = readiness.watch(() => {
    const status = statusOf(readiness.all());
    if (status !== last) send(`STATUS=${(last = status)}`);
  });
  signal.addEventListener("abort", () => watch[Symbol.dispose](), { once: true });
}

/** One line. */
function statusOf(services: readonly ServiceStatus[]): string {
  const bad = services.filter(({ state }) => state !== "healthy" && state !== "exited");
  const [first] = bad;
  if (!first) return `${services.length} services are well`;
  const more = bad.length > 1 ? `, and ${bad.length - 1} more are not well` : "";
  const reason = first.reason?.replaceAll(/\s+/g, " ");
  return `${first.name} is ${first.state}${reason ? `: ${reason}` : ""}${more}`;
}

/** From Linux's headers: sockets of datagrams are not among Node's. */
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

async function sender(path: string, log: Logger): Promise<Send> {
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const socket = libc.func("int socket(int domain, int type, int protocol)");
  const sendto = libc.func(
    "long sendto(int fd, const void *data, size_t size, int flags, const void *address, uint32_t length)",
  );
  const close = libc.func("int close(int fd)");
  const address = addressOf(path);
  return (state) => {
    try {
      const data = Buffer.from(state);
      const fd = Number(socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
      const sent: unknown = sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length);
      close(fd);
      if (Number(sent) !== data.length) log.warn("systemd does not listen", { socket: path });
    } catch (error) {
      log.warn("cannot tell systemd", { error: messageOf(error) });
    }
  };
}

/** `sockaddr_un`; an `@` stands for the zero byte of the abstract namespace. */
function addressOf(path: string): Buffer {
  const family = Buffer.alloc(2);
  if (endianness() === "LE") family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, Buffer.from(path.replace(/^@/, "\0"))]);
}
