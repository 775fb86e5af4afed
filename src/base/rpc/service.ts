import type { CodedError } from "#base/kernel";
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";

/** What the server knows of one call beside its request. */
export interface RpcContext {
  /** `tenon.auth.v1.AuthService/Ping`. */
  readonly method: string;
  /** DER of the caller's certificate, if the TLS layer verified its chain; one object for each connection. */
  readonly peerCertificate?: Buffer;
  /** DER of a certificate whose chain did not hold, or that nobody verified: to say why, in logs. */
  readonly unverifiedCertificate?: Buffer;
  /** IP address of the caller; `local` at the Unix socket. */
  readonly remoteAddr: string;
  /** Whether the call came over the Unix socket. */
  readonly local: boolean;
  /** Aborts when the caller cancels or goes away, and at the deadline; streams must end then. */
  readonly signal: AbortSignal;
  /** Ends the call at once with this error, whatever its handler is doing. */
  readonly end: (error: CodedError) => void;
}

type Method = GenServiceMethods[string];
type In<M extends Method> = M["input"] extends DescMessage ? MessageShape<M["input"]> : never;
type Out<M extends Method> = M["output"] extends DescMessage
  ? MessageInitShape<M["output"]>
  : never;

/** The shape of a handler follows from the kind of its method; client streaming is not used. */
export type Handler<M extends Method, Context> = M["methodKind"] extends "unary"
  ? (request: In<M>, context: Context) => Promise<Out<M>> | Out<M>
  : M["methodKind"] extends "server_streaming"
    ? (request: In<M>, context: Context) => AsyncIterable<Out<M>>
    : M["methodKind"] extends "bidi_streaming"
      ? (requests: AsyncIterableIterator<In<M>>, context: Context) => AsyncIterable<Out<M>>
      : never;

export type Handlers<S, Context = RpcContext> =
  S extends GenService<infer Methods>
    ? { readonly [K in keyof Methods]: Handler<Methods[K], Context> }
    : never;

/** Runs around every call of a service: makes its context, and hears how it ended. */
export interface Around<Context> {
  /** Before the handler, after the request of a unary call is read. What it throws is the answer. */
  enter(context: RpcContext): Promise<Context> | Context;
  /** After the call; `error` is what `enter` or the handler threw. Must not throw. */
  left?(context: RpcContext, entered: Context | undefined, error: unknown): void;
}

/** One method, without its types: what the server registers. */
export interface BoundMethod {
  readonly descriptor: DescMethod;
  readonly path: string;
  readonly run: (request: unknown, context: unknown) => unknown;
  readonly around: Around<unknown>;
}

export interface BoundService {
  readonly typeName: string;
  readonly methods: readonly BoundMethod[];
}

/** Ties handlers to a service; `around`, when given, turns each call's context into theirs. */
export function bindService<Methods extends GenServiceMethods, Context = RpcContext>(
  service: GenService<Methods>,
  handlers: Handlers<GenService<Methods>, Context>,
  around?: Around<Context>,
): BoundService {
  const table = handlers as Record<string, BoundMethod["run"] | undefined>;
  return {
    typeName: service.typeName,
    methods: service.methods.map((descriptor) => {
      const run = table[descriptor.localName];
      if (!run) throw new TypeError(`${service.typeName} has no handler for ${descriptor.name}`);
      return {
        descriptor,
        path: `/${service.typeName}/${descriptor.name}`,
        run: run.bind(handlers),
        around: around ?? plainAround,
      };
    }),
  };
}

const plainAround: Around<RpcContext> = { enter: (context) => context };
