import { canceled, type Clock, type CodedError, timedOut } from "#base/kernel";
import type { Responder, ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import type { Connection } from "./connection.ts";
import type { Grpc } from "./grpc.ts";
import type { RpcContext } from "./service.ts";

/** `unary` and `server_streaming` calls must have their whole request in time; a bidi call has none. */
type Shape = {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
};

/**
 * One call from its headers to its status: the signal its handler watches, and its deadline. It
 * stands in the place of the library's `AuthContext`, the one thing a handler can reach through the
 * public interface.
 */
export class CallState {
  readonly transportSecurityType = "tenon";
  readonly context: RpcContext;
  /** A stream from the server, which has no end of its own. */
  readonly endless: boolean;
  readonly #controller = new AbortController();
  readonly #connection: Connection;
  readonly #timer: Disposable | undefined;
  #ended = false;
  #refuse: (error: CodedError) => void = () => {};

  constructor(connection: Connection, shape: Shape, options: { clock: Clock; deadlineMs: number }) {
    this.#connection = connection;
    this.endless = shape.responseStream && !shape.requestStream;
    this.context = {
      ...connection.caller,
      method: shape.path.slice(1),
      signal: this.#controller.signal,
      end: (error) => this.close(error),
    };
    const late = (): void =>
      this.close(timedOut(`the call took longer than ${options.deadlineMs / 1_000} seconds`));
    if (!shape.requestStream) this.#timer = options.clock.timer(options.deadlineMs, late);
    connection.enter(this);
  }

  /** What the interceptor does at each event of the call. */
  readonly responder: Responder = {
    start: (next) =>
      next({
        onReceiveHalfClose: (proceed) => {
          if (this.endless) this.#timer?.[Symbol.dispose]();
          proceed();
        },
        // The library says so at the end of every call; an error is made only where someone hears it.
        onCancel: () => {
          if (!this.#ended) this.#end(canceled("the caller canceled the call or went away"));
        },
      }),
    sendStatus: (status, next) => {
      next(status);
      this.#end();
    },
  };

  onRefuse(refuse: (error: CodedError) => void): void {
    this.#refuse = refuse;
  }

  /** Ends the call from this side: the caller gets `error`, the handler's signal aborts with it. */
  close(error: CodedError): void {
    if (this.#ended) return;
    this.#end(error);
    this.#refuse(error);
  }

  #end(reason?: CodedError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.[Symbol.dispose]();
    this.#connection.leave(this);
    if (reason) this.#controller.abort(reason);
  }
}

/** Makes the interceptor of one connection; `GuardedCall` comes from `guardedCall`. */
export function guard(options: {
  readonly GuardedCall: ReturnType<typeof guardedCall>;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly refuse: (call: ServerInterceptingCall, error: CodedError) => void;
}): ServerInterceptor {
  return (definition, next) => {
    const state = new CallState(options.connection, definition, options);
    const call = new options.GuardedCall(next, state);
    state.onRefuse((error) => options.refuse(call, error));
    return call;
  };
}

/** The library's class is needed at run time, and is loaded late: hence a class made on demand. */
export function guardedCall(grpc: Grpc) {
  return class GuardedCall extends grpc.ServerInterceptingCall {
    readonly #state: CallState;

    constructor(
      next: ConstructorParameters<typeof grpc.ServerInterceptingCall>[0],
      state: CallState,
    ) {
      super(next, state.responder);
      this.#state = state;
    }

    override getAuthContext(): CallState {
      return this.#state;
    }
  };
}
