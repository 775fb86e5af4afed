import { unavailable, type Clock, type CodedError } from "#base/kernel";
import { constants, type Http2Session, type Http2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { errorOfReset, isOwnReset, lostError, resetCodeOf } from "./mux-errors.ts";
import {
  KEEP_ALIVE_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_STREAMS,
  type MuxOptions,
} from "./mux-options.ts";
import { Meter } from "./mux-meter.ts";
import { adoptStream, type MuxStream, type StreamOwner } from "./mux-stream.ts";
import { FIRST_WINDOWS, type Windows } from "./mux-window.ts";

/**
 * Bytes that the readers of one session may leave unread, if its windows have grown: windows are
 * shared out among the open streams then. Each keeps its first window, so that many may hold more.
 */
const UNREAD_BUDGET = 64 * 1024 * 1024;
/** Node waits for the peer to read the last frames and to hang up; this one hangs up itself then. */
const LINGER_MS = 1_000;

/** The life that both ends of a session share: streams, windows, liveness, draining. */
export class MuxSession implements StreamOwner, AsyncDisposable {
  /** Settles when the session is gone; with the reason when it did not end by draining. */
  readonly closed: Promise<CodedError | undefined>;
  /** Settles when no new streams can be opened any more: either side drains, or it is gone. */
  readonly ending: Promise<void>;
  readonly #end: () => void;
  readonly maxStreams: number;
  readonly #session: Http2Session;
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #options: MuxOptions;
  readonly #meter: Meter;
  #streams = 0;
  #streamWindow = FIRST_WINDOWS.stream;
  #draining = false;
  #failure: CodedError | undefined;
  #heard = true;
  #beat: Disposable | undefined;
  #hangUp: Disposable | undefined;

  constructor(session: Http2Session, socket: Duplex, options: MuxOptions) {
    this.#session = session;
    this.#socket = socket;
    this.#clock = options.clock;
    this.#options = options;
    this.#meter = new Meter({
      clock: options.clock,
      ping: (answered) => this.#ping(answered),
      resize: (windows) => this.#apply(windows),
    });
    this.maxStreams = options.maxStreams ?? MAX_STREAMS;
    const ending = Promise.withResolvers<void>();
    this.ending = ending.promise;
    this.#end = ending.resolve;
    const closed = Promise.withResolvers<CodedError | undefined>();
    this.closed = closed.promise;
    const onClosed = (): void => this.#closed(closed.resolve);
    session.on("goaway", (code) => this.#goneAway(code));
    session.on("error", (error) => (this.#failure ??= lostError(error)));
    session.once("close", onClosed);
    socket.once("close", onClosed);
    session.once("connect", () => this.#begin());
    if (socket.destroyed) {
      session.destroy();
      queueMicrotask(onClosed);
    }
  }

  get openStreams(): number {
    return this.#streams;
  }

  /** Whether new streams may be opened. */
  get usable(): boolean {
    return !this.lost && !this.#session.closed;
  }

  get lost(): boolean {
    return this.#socket.destroyed || this.#session.destroyed;
  }

  /** Why it was lost, if that is known. */
  get failure(): CodedError | undefined {
    return this.#failure;
  }

  /** What one stream may receive before its reader reads, in bytes. */
  get streamWindow(): number {
    return this.#streamWindow;
  }

  /** The shortest round trip measured, in ms; Infinity before the first. */
  get roundTripMs(): number {
    return this.#meter.estimator.shortestRoundTripMs;
  }

  adopt(stream: Http2Stream): MuxStream {
    this.#streams += 1;
    if (this.#streamWindow > FIRST_WINDOWS.stream) this.#shareWindows();
    return adoptStream(stream, this);
  }

  received(stream: MuxStream, bytes: number): void {
    this.#heard = true;
    this.#meter.received(stream, bytes);
  }

  left(): void {
    this.#streams -= 1;
    this.#hangUpWhenDone();
  }

  /** Refuses new streams at once, lets open ones end, and cuts what is left after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    const timer = this.#clock.timer(timeoutMs, () =>
      this.destroy(unavailable("the tunnel was shut down before the connection ended")),
    );
    this.#draining = true;
    this.#end();
    this.#session.close();
    this.#hangUpWhenDone();
    await this.closed;
    timer[Symbol.dispose]();
  }

  /** Cuts everything now; every open stream fails with `error`, at the peer with its code. */
  destroy(error: CodedError): void {
    this.#failure ??= error;
    this.#session.destroy(error, resetCodeOf(error));
    this.#hangUpWhenDone();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy(unavailable("the tunnel was closed"));
    await this.closed;
  }

  #begin(): void {
    if (this.lost) return;
    this.#session.setLocalWindowSize(FIRST_WINDOWS.session);
    this.#meter.measure();
    this.#armBeat(this.#options.keepAliveMs ?? KEEP_ALIVE_MS, () => this.#check());
  }

  #goneAway(code: number): void {
    if (isOwnReset(code)) this.#failure ??= errorOfReset(code);
    else if (code === constants.NGHTTP2_NO_ERROR) this.#draining = true;
    this.#end();
    queueMicrotask(() => this.#hangUpWhenDone());
  }

  #closed(resolve: (failure: CodedError | undefined) => void): void {
    this.#end();
    this.#beat?.[Symbol.dispose]();
    this.#hangUp?.[Symbol.dispose]();
    if (!this.#draining) this.#failure ??= lostError(undefined);
    resolve(this.#failure);
  }

  #hangUpWhenDone(): void {
    if (this.usable || this.#streams > 0 || this.#socket.destroyed) return;
    this.#hangUp ??= this.#clock.timer(LINGER_MS, () => this.#socket.destroy());
  }

  #apply(windows: Windows): void {
    if (this.lost) return;
    this.#session.setLocalWindowSize(windows.session);
    const fair = Math.max(FIRST_WINDOWS.stream, UNREAD_BUDGET / this.#streams);
    this.#streamWindow = Math.floor(Math.min(windows.stream, fair));
    this.#session.settings({ initialWindowSize: this.#streamWindow });
  }

  /** Makes the streams' windows smaller when there are many of them. */
  #shareWindows(): void {
    if (this.#streamWindow * this.#streams > 2 * UNREAD_BUDGET)
      this.#apply(this.#meter.estimator.windows);
  }

  /** False when no ping can be sent now. */
  #ping(answered: () => void): boolean {
    if (!this.usable) return false;
    return this.#session.ping((error) => {
      if (error || this.#session.destroyed) return;
      this.#heard = true;
      answered();
    });
  }

  #armBeat(ms: number, fire: () => void): void {
    this.#beat?.[Symbol.dispose]();
    this.#beat = this.#clock.timer(ms, fire);
  }

  /** Every so often: forget windows that are not needed any more; ask a silent peer for a sign. */
  #check(): void {
    const { keepAliveMs = KEEP_ALIVE_MS, keepAliveTimeoutMs = KEEP_ALIVE_TIMEOUT_MS } =
      this.#options;
    const relaxed = this.#meter.estimator.relax();
    if (relaxed) this.#apply(relaxed);
    if (this.#heard) {
      this.#heard = false;
      return this.#armBeat(keepAliveMs, () => this.#check());
    }
    this.#meter.measure();
    this.#armBeat(keepAliveTimeoutMs, () => this.#buryOrGoOn());
  }

  #buryOrGoOn(): void {
    if (this.#heard) return this.#check();
    this.destroy(unavailable("the far end of the tunnel does not answer any more"));
  }
}
