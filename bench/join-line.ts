// One connection of a machine to the cluster: TLS, HTTP/2 and gRPC's framing, as thin as can be, because
// the client shares the processor with the server that is measured.
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
} from "node:http2";
import type { IncomingHttpHeaders } from "node:http";
import { connect, type SecureContext, type TLSSocket } from "node:tls";

export interface Endpoint {
  readonly port: number;
  readonly serverName: string;
}

export interface Dial {
  readonly endpoint: Endpoint;
  readonly context: SecureContext;
  readonly localAddress?: string;
  /** Of an earlier connection, to be resumed. */
  readonly session?: Buffer;
}

/** After the handshake. */
export function dialTls(dial: Dial): Promise<TLSSocket> {
  const { endpoint, context, localAddress, session } = dial;
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect(
      {
        host: "127.0.0.1",
        port: endpoint.port,
        servername: endpoint.serverName,
        secureContext: context,
        ALPNProtocols: ["h2"],
        ...(localAddress ? { localAddress } : {}),
        ...(session ? { session } : {}),
      },
      () => resolve(socket),
    );
    socket.once("error", reject);
  });
}

/** What resumes a connection, of one that is closed again. */
export async function sessionOf(dial: Dial): Promise<Buffer> {
  const socket = await dialTls(dial);
  const session = await new Promise<Buffer>((resolve, reject) => {
    socket.once("session", resolve).once("close", () => reject(new Error("no session came")));
    socket.resume();
  });
  socket.destroy();
  return session;
}

/** HTTP/2 on a TLS connection. */
export class Line implements Disposable {
  readonly socket: TLSSocket;
  readonly #session: ClientHttp2Session;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.#session = connectHttp2("https://bench", { createConnection: () => socket });
    this.#session.on("error", () => {});
  }

  static async open(dial: Dial): Promise<Line> {
    return new Line(await dialTls(dial));
  }

  call(path: string): Call {
    return new Call(
      this.#session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      }),
    );
  }

  /** As a client ends that has no more to say. */
  [Symbol.dispose](): void {
    this.#session.close();
  }
}

const FRAME_HEAD = 5;

/** One gRPC call: messages out, messages in, one at a time. */
export class Call {
  readonly #stream: ClientHttp2Stream;
  #bytes: Buffer = Buffer.alloc(0);
  #end: Error | undefined;
  #wake: () => void = () => {};

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    stream.on("response", (headers) => this.#take(headers));
    stream.on("trailers", (headers) => this.#take(headers));
    stream.on("error", (error: Error) => this.#over(error));
    stream.on("close", () => this.#over(new Error("the call ended without an answer")));
  }

  send(message: Uint8Array): void {
    const head = Buffer.alloc(FRAME_HEAD);
    head.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([head, message]));
  }

  async receive(): Promise<Buffer> {
    for (;;) {
      const size = this.#bytes.length < FRAME_HEAD ? undefined : this.#bytes.readUInt32BE(1);
      if (size !== undefined && this.#bytes.length >= FRAME_HEAD + size) {
        const message = this.#bytes.subarray(FRAME_HEAD, FRAME_HEAD + size);
        this.#bytes = this.#bytes.subarray(FRAME_HEAD + size);
        return message;
      }
      if (this.#end) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  end(): void {
    this.#stream.end();
  }

  #take(headers: IncomingHttpHeaders): void {
    const { "grpc-status": status = "0", "grpc-message": message } = headers;
    if (status !== "0") this.#over(new Error(`status ${String(status)}: ${String(message)}`));
  }

  #over(error: Error): void {
    this.#end ??= error;
    this.#wake();
  }
}
