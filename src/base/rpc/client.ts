import { canceled, type Clock, type CodedError, unavailable } from "#base/kernel";
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { Client } from "@grpc/grpc-js";
import { CallBounds, type CallOptions } from "./client-call.ts";
import { bidiCall, boundOpening, receiveAll, type BidiCall } from "./client-stream.ts";
import { asBytes, decodeResponse, encode } from "./codec.ts";
import { loadGrpc, type Grpc } from "./grpc.ts";
import { defaultRpcLimits } from "./limits.ts";
import {
  channelOptions,
  credentials,
  describe,
  libraryTarget,
  type RpcTarget,
  type RpcTls,
} from "./target.ts";

type Method = GenServiceMethods[string];
type Opened = { readonly grpc: Grpc; readonly client: Client };
type Fields = MessageInitShape<DescMessage>;
type Call<I extends DescMessage, O extends DescMessage, Kind> = Kind extends "unary"
  ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
  : Kind extends "server_streaming"
    ? (
        request: MessageInitShape<I>,
        options?: CallOptions,
      ) => AsyncIterableIterator<MessageShape<O>>
    : Kind extends "bidi_streaming"
      ? (options?: CallOptions) => Promise<BidiCall<I, O>>
      : never;
type CallOf<M extends Method> = Call<M["input"], M["output"], M["methodKind"]>;

/** One function for each method of the service. */
export type Calls<S> =
  S extends GenService<infer Methods>
    ? { readonly [K in keyof Methods]: CallOf<Methods[K]> }
    : never;

export interface RpcChannelOptions {
  readonly target: RpcTarget;
  /** For `host` targets; a socket file needs none. */
  readonly tls?: RpcTls;
  /** Of unary calls, and of the opening of streams; 30 s unless given. */
  readonly defaultDeadlineMs?: number;
  readonly clock: Clock;
}

/**
 * One connection to a server, made when first needed and made again when lost. Failures to reach it
 * are `unavailable`, and name the address, the reason and what to check.
 */
export class RpcChannel implements Disposable {
  readonly #options: RpcChannelOptions;
  readonly #address: string;
  readonly #deadlineMs: number;
  readonly #underWay = new Set<CallBounds>();
  #client: Client | undefined;
  #closed = false;

  constructor(options: RpcChannelOptions) {
    this.#options = options;
    this.#address = describe(options.target);
    this.#deadlineMs = options.defaultDeadlineMs ?? defaultRpcLimits.unaryDeadlineMs;
  }

  /** The calls of one service on this channel. */
  client<Methods extends GenServiceMethods>(
    service: GenService<Methods>,
  ): Calls<GenService<Methods>> {
    const calls = service.methods.map((method) => [method.localName, this.#call(method)]);
    return Object.fromEntries(calls) as Calls<GenService<Methods>>;
  }

  /** Ends calls under way with `canceled`, and the connection. */
  close(): void {
    this.#closed = true;
    for (const bounds of this.#underWay)
      bounds.stop(canceled(`the connection to ${this.#address} was closed`));
    this.#client?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #call(method: DescMethod): unknown {
    const makers = {
      unary: (request: Fields, options?: CallOptions) => this.#unary(method, request, options),
      server_streaming: (request: Fields, options?: CallOptions) =>
        this.#serverStreaming(method, request, options),
      bidi_streaming: (options?: CallOptions) => this.#bidi(method, options),
      client_streaming: undefined,
    };
    return makers[method.methodKind];
  }

  async #unary(method: DescMethod, request: Fields, options: CallOptions = {}): Promise<object> {
    const { grpc, client } = await this.#open();
    using bounds = this.#bounds(options);
    const deadlineMs = options.deadlineMs ?? this.#deadlineMs;
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        pathOf(method),
        asBytes,
        asBytes,
        encode(method.input, request),
        timeout(grpc, deadlineMs),
        (error, value) => (error ? reject(bounds.errorFor(error)) : resolve(value!)),
      );
      bounds.attach(() => call.cancel());
      bounds.expireAfter(deadlineMs, (reason) => this.#giveUpConnecting({ grpc, client }, reason));
    });
    return decodeResponse(method.output, bytes);
  }

  async *#serverStreaming(
    method: DescMethod,
    request: Fields,
    options: CallOptions = {},
  ): AsyncGenerator<object, void, undefined> {
    const { grpc, client } = await this.#open();
    using bounds = this.#bounds(options);
    const stream = client.makeServerStreamRequest(
      pathOf(method),
      asBytes,
      asBytes,
      encode(method.input, request),
      timeout(grpc, options.deadlineMs),
    );
    boundOpening(stream, bounds, this.#deadlines({ grpc, client }, options));
    yield* receiveAll(method, stream, bounds);
  }

  async #bidi(
    method: DescMethod,
    options: CallOptions = {},
  ): Promise<BidiCall<DescMessage, DescMessage>> {
    const { grpc, client } = await this.#open();
    const bounds = this.#bounds(options);
    const duplex = client.makeBidiStreamRequest(
      pathOf(method),
      asBytes,
      asBytes,
      timeout(grpc, options.deadlineMs),
    );
    boundOpening(duplex, bounds, this.#deadlines({ grpc, client }, options));
    return bidiCall(method, duplex, bounds);
  }

  #bounds(options: CallOptions): CallBounds {
    const bounds = new CallBounds({
      address: this.#address,
      clock: this.#options.clock,
      signal: options.signal,
      left: () => this.#underWay.delete(bounds),
    });
    this.#underWay.add(bounds);
    return bounds;
  }

  #deadlines(opened: Opened, options: CallOptions) {
    return {
      openMs: this.#deadlineMs,
      callMs: options.deadlineMs,
      late: (reason: CodedError) => this.#giveUpConnecting(opened, reason),
    };
  }

  /** The library waits for ever for a peer that accepts and then says nothing; the next call starts anew. */
  #giveUpConnecting({ grpc, client }: Opened, reason: CodedError): void {
    if (this.#client !== client || this.#closed) return;
    const { CONNECTING } = grpc.connectivityState;
    if (client.getChannel().getConnectivityState(false) !== CONNECTING) return;
    this.#client = undefined;
    for (const bounds of this.#underWay) bounds.stop(reason);
    client.close();
  }

  async #open(): Promise<Opened> {
    const grpc = await loadGrpc();
    if (this.#closed) throw unavailable(`the connection to ${this.#address} is closed`);
    const { target, tls } = this.#options;
    this.#client ??= new grpc.Client(
      libraryTarget(target),
      credentials(grpc, this.#options),
      channelOptions(tls?.serverName),
    );
    return { grpc, client: this.#client };
  }
}

const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

/** Tells the server how long this side will wait; the header has room for eight digits. */
function timeout(grpc: Grpc, ms: number | undefined): InstanceType<Grpc["Metadata"]> {
  const metadata = new grpc.Metadata();
  if (ms !== undefined) metadata.set("grpc-timeout", `${Math.min(Math.ceil(ms), 99_999_999)}m`);
  return metadata;
}
