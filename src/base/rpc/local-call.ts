import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { BoundMethod, BoundService, RpcContext } from "./service.ts";

/** Who calls, as far as a connection would tell. */
export type LocalOrigin = Pick<RpcContext, "peerCertificate" | "remoteAddr" | "signal">;

type Unary = DescMethod & { readonly methodKind: "unary" };
type Streaming = DescMethod & { readonly methodKind: "server_streaming" };

/**
 * Calls services of this process without a connection. What stands around them decides as for every
 * other caller: there is no second way in.
 */
export class LocalCalls {
  readonly #methods: ReadonlyMap<DescMethod, BoundMethod>;

  constructor(services: readonly BoundService[]) {
    const methods = services.flatMap((service) => service.methods);
    this.#methods = new Map(methods.map((method) => [method.descriptor, method]));
  }

  async call<M extends Unary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    origin: LocalOrigin,
  ): Promise<MessageShape<M["output"]>> {
    for await (const reply of this.#replies(method, request, origin)) return reply;
    throw new TypeError(`${method.name} gave no reply`);
  }

  /** Ends with the origin's signal. */
  stream<M extends Streaming>(
    method: M,
    request: MessageInitShape<M["input"]>,
    origin: LocalOrigin,
  ): AsyncGenerator<MessageShape<M["output"]>> {
    return this.#replies(method, request, origin);
  }

  async *#replies<M extends Unary | Streaming>(
    method: M,
    request: MessageInitShape<M["input"]>,
    origin: LocalOrigin,
  ): AsyncGenerator<MessageShape<M["output"]>> {
    const bound = this.#bound(method);
    const { context, cut } = contextOf(bound, origin);
    let entered: unknown;
    let failure: unknown;
    try {
      entered = await bound.around.enter(context);
      const given = bound.run(create(method.input, request), entered);
      if (method.methodKind === "unary") yield replyOf(method, await given);
      else for await (const reply of given as AsyncIterable<unknown>) yield replyOf(method, reply);
      if (cut.error) throw cut.error;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      bound.around.left?.(context, entered, failure);
    }
  }

  #bound(method: DescMethod): BoundMethod {
    const bound = this.#methods.get(method);
    if (bound) return bound;
    throw new TypeError(`no service of this process has ${method.parent.typeName}/${method.name}`);
  }
}

/** Whole, with the defaults of what the handler left out. */
const replyOf = <M extends DescMethod>(method: M, reply: unknown): MessageShape<M["output"]> =>
  create(method.output, reply as MessageInitShape<DescMessage>) as MessageShape<M["output"]>;

interface Cut {
  error?: unknown;
}

/** `end` aborts the call's signal, and the call then fails with the error that it was given. */
function contextOf(bound: BoundMethod, origin: LocalOrigin): { context: RpcContext; cut: Cut } {
  const ended = new AbortController();
  const cut: Cut = {};
  const end = (error: unknown): void => {
    cut.error ??= error;
    ended.abort();
  };
  const signal = AbortSignal.any([origin.signal, ended.signal]);
  const context = { ...origin, signal, end, local: false, method: bound.path.slice(1) };
  return { context, cut };
}
