import { canceled, type Clock, CodedError, timedOut, unavailable } from "#base/kernel";
import type { ServiceError } from "@grpc/grpc-js";
import { errorOf, isOurs } from "./status.ts";
import { unreachable } from "./unreachable.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole call; by default the channel's for unary calls, none for streams. */
  readonly deadlineMs?: number;
}

/** Ends a call at its deadline, when its signal aborts, or when its channel closes. */
export class CallBounds implements Disposable {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #left: () => void;
  readonly #onAbort = (): void => this.stop(abortReason(this.#signal?.reason));
  #timer: Disposable | undefined;
  #cancel: () => void = () => {};
  #reason: CodedError | undefined;
  #over = false;

  constructor(options: {
    address: string;
    clock: Clock;
    signal: AbortSignal | undefined;
    left: () => void;
  }) {
    this.#address = options.address;
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#left = options.left;
    if (this.#signal?.aborted) this.#onAbort();
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** How to end the call, once there is one. */
  attach(cancel: () => void): void {
    this.#cancel = cancel;
    if (this.#reason) cancel();
  }

  /** Replaces the deadline; `undefined` lifts it. */
  expireAfter(ms: number | undefined, late?: (reason: CodedError) => void): void {
    this.#timer?.[Symbol.dispose]();
    if (ms === undefined) return;
    this.#timer = this.#clock.timer(ms, () => {
      const reason = timedOut(`no answer from ${this.#address} within ${ms / 1_000} seconds`);
      this.stop(reason);
      late?.(reason);
    });
  }

  /** Ends the call from this side; the first reason stays. */
  stop(reason: CodedError): void {
    this.#reason ??= reason;
    this.#cancel();
  }

  throwIfStopped(): void {
    if (this.#reason) throw this.#reason;
  }

  /** Whether the call has ended, well or not. */
  get over(): boolean {
    return this.#over;
  }

  done(): void {
    this.#over = true;
    this.#timer?.[Symbol.dispose]();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#left();
  }

  [Symbol.dispose](): void {
    this.done();
  }

  /** What the caller of the call hears of its end: always the first thing that went wrong. */
  errorFor(error: unknown): CodedError {
    this.#reason ??= translated(this.#address, error);
    return this.#reason;
  }
}

function translated(address: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  if (!isServiceError(error)) return unreachable(address, String(error));
  return isOurs(error) ? errorOf(error) : foreignError(address, error);
}

/** The status was made by the library or the network: most mean that the server was not reached. */
function foreignError(address: string, error: ServiceError): CodedError {
  const coded = errorOf(error);
  if (unknownCall.has(error.code)) {
    return unavailable(`${address} does not know this call; is it older than this program?`, {
      detail: error.details,
    });
  }
  if (lost.has(coded.code)) return unreachable(address, error.details);
  return coded;
}

const unknownCall: ReadonlySet<number> = new Set([12]);
/** This side did not cancel, so `canceled` came from a connection that broke; likewise `internal`. */
const lost: ReadonlySet<string> = new Set(["unavailable", "canceled", "internal"]);

function abortReason(reason: unknown): CodedError {
  if (reason instanceof CodedError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError")
    return timedOut(`the call ${reason.message}`);
  return canceled("the call was canceled");
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "details" in error && "metadata" in error && "code" in error;
}
