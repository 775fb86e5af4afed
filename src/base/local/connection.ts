import type { Clock, CodedError } from "#base/kernel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { LocalLimits } from "./limits.ts";
import type { Peer } from "./peer.ts";

export type AnyRequest = IncomingMessage | Http2ServerRequest;
export type AnyResponse = ServerResponse | Http2ServerResponse;

/** One peer's connection, the calls on it, and the time it gets. */
export class LocalConnection {
  readonly peer: Peer;
  /** Why every call on it is refused. */
  readonly refusal: CodedError | undefined;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #limits: LocalLimits;
  #calls = 0;
  #timer: Disposable | undefined;
  #leaving = false;
  #end: () => void = () => this.destroy();

  constructor(options: {
    readonly socket: Socket;
    readonly peer: Peer;
    readonly refusal: CodedError | undefined;
    readonly clock: Clock;
    readonly limits: LocalLimits;
  }) {
    this.peer = options.peer;
    this.refusal = options.refusal;
    this.#socket = options.socket;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.closed = new Promise((resolve) => this.#socket.once("close", () => resolve()));
    void this.closed.then(() => this.#timer?.[Symbol.dispose]());
    this.#closeAfter(options.limits.headerMs);
  }

  get calls(): number {
    return this.#calls;
  }

  /** Counts a call from its headers to the end of its answer. */
  enter(request: AnyRequest, response: AnyResponse): void {
    this.#calls += 1;
    this.#timer?.[Symbol.dispose]();
    const late = this.#clock.timer(this.#limits.requestMs, () => this.destroy());
    request.once("end", () => late[Symbol.dispose]());
    response.once("close", () => {
      late[Symbol.dispose]();
      this.#leave();
    });
  }

  /** How to end it after what is written has arrived; the protocol knows. */
  onEnd(end: () => void): void {
    this.#end = end;
  }

  /** Closes as soon as no call is under way. */
  goodbye(): void {
    this.#leaving = true;
    if (this.#calls === 0) this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #leave(): void {
    this.#calls -= 1;
    if (this.#calls > 0 || this.#socket.destroyed) return;
    if (this.#leaving) return this.#end();
    this.#closeAfter(this.refusal ? this.#limits.headerMs : this.#limits.idleMs);
  }

  #closeAfter(ms: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.timer(ms, () => this.destroy());
  }
}
