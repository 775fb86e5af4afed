import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/**
 * The application and its clients. A connection begins with one line: `d N` (send me N bytes), `u`
 * (I send until I end; answer then), `c` (answer now) or `e` (echo).
 */
export async function startApp(): Promise<{ port: number } & Disposable> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    socket.once("data", (chunk: Buffer) => answer(socket, chunk));
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 });
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const BLOCK = Buffer.alloc(256 * 1024, "tunnel");

function answer(socket: Socket, first: Buffer): void {
  const end = first.indexOf(10);
  const [kind, size] = first.toString("latin1", 0, end).split(" ");
  const rest = first.subarray(end + 1);
  if (kind === "d") return void send(socket.resume(), Number(size));
  if (kind === "u") return void socket.on("end", () => socket.end("done")).resume();
  if (kind === "c")
    return void socket
      .on("end", () => socket.end())
      .resume()
      .write("done");
  if (rest.length > 0) socket.write(rest);
  socket.pipe(socket);
}

/** Writes `size` bytes at the speed of the reader, then ends. */
export async function send(socket: Socket, size: number): Promise<void> {
  for (let left = size; left > 0 && !socket.destroyed; left -= BLOCK.length) {
    const block = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
    if (!socket.write(block)) await drained(socket);
  }
  socket.end();
}

/** Until the socket takes more, or is gone. */
const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const settle = (): void => {
      socket.off("drain", settle).off("close", settle);
      resolve();
    };
    socket.on("drain", settle).on("close", settle);
  });

export async function dial(port: number, greeting: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(greeting);
  return socket;
}

/** Resolves with the bytes received when the far end has ended; rejects when it broke off. */
export function received(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
    socket.once("end", () => resolve(bytes));
    socket.once("close", () => reject(socket.errored ?? new Error("the connection broke off")));
  });
}

/** One whole connection: there, an answer, and away; with as little work at this end as possible. */
export function connectOnce(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.on("error", reject);
    socket.on("data", () => {
      socket.destroy();
      resolve();
    });
    socket.write("c\n");
  });
}

/** One small message there and back; milliseconds. */
export async function echoOnce(socket: Socket, message: Buffer): Promise<number> {
  const start = performance.now();
  socket.write(message);
  let bytes = 0;
  while (bytes < message.length) bytes += ((await once(socket, "data")) as [Buffer])[0].length;
  return performance.now() - start;
}
