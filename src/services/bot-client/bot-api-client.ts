import { create } from "@bufbuild/protobuf";
import { DurationSchema, timestampMs } from "@bufbuild/protobuf/wkt";
import { createClient, type Client } from "@connectrpc/connect";
import {
  BotApiService,
  SpawnServiceResponseSchema,
  type QueryResult,
  type ServiceStatus,
} from "@tenon/api/tenon/tbot/v1/bot_api";
import { codeOf } from "#base/kernel";
import { connectLocal, detailOf, type LocalTransport } from "#base/local";
import { sent, type CallOptions } from "./call-options.ts";

/** How a service of a running bot is. */
export interface RemoteStatus {
  readonly name: string;
  readonly type: string;
  /** initializing, healthy, unhealthy, exited or failed. */
  readonly status: string;
  /** Why it is not healthy. */
  readonly reason?: string;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
  /** Whether it was asked for, not configured. */
  readonly spawned: boolean;
}

export interface RemoteEvent {
  /** spawned, ready, unhealthy, exited, failed, stopped; `current` for what stood at the beginning. */
  readonly event: string;
  readonly service: RemoteStatus;
}

export interface SpawnRequest {
  /** A YAML list of services. */
  readonly configuration: string;
  readonly skipWait?: boolean;
  readonly timeoutMs?: number;
  readonly idempotencyKey?: string;
}

export interface SpawnOutcome {
  /**
   * `started`: each is healthy, has exited without error, or nobody waited. `failed`: one is not.
   * `timed_out`: one has not reported yet. What was started goes on trying.
   */
  readonly outcome: "started" | "failed" | "timed_out";
  /** Those of the request, in its order. */
  readonly services: readonly RemoteStatus[];
}

/** What may be found: a node, an application, a database or a Kubernetes cluster. */
export type Found = Omit<QueryResult, "$typeName" | "$unknown">;

export const queryKinds = ["nodes", "apps", "databases", "kube"] as const;
export type QueryKind = (typeof queryKinds)[number];

/**
 * Gives orders to a running bot on the socket of its `bot-api` service. Every failure is a
 * CodedError; `unavailable` when no bot answers on the socket.
 */
export class BotApiClient implements Disposable {
  readonly #transport: LocalTransport;
  readonly #client: Client<typeof BotApiService>;

  private constructor(transport: LocalTransport) {
    this.#transport = transport;
    this.#client = createClient(BotApiService, transport);
  }

  /** `socket` is a path or `unix:///path`. Nothing is sent yet. */
  static async open(socket: string): Promise<BotApiClient> {
    return new BotApiClient(await connectLocal(socket));
  }

  /**
   * Throws when nothing was started: `bad_parameter` with the place of every fault, `access_denied`
   * for what the socket may not ask for, `already_exists` when the key was used for another list.
   */
  async spawn(request: SpawnRequest, options: CallOptions = {}): Promise<SpawnOutcome> {
    const { timeoutMs, skipWait = false, idempotencyKey = "", configuration } = request;
    const timeout = timeoutMs === undefined ? {} : { timeout: durationOf(timeoutMs) };
    try {
      const { services } = await this.#client.spawnService(
        { configuration, skipWait, idempotencyKey, ...timeout },
        sent(options),
      );
      return { outcome: "started", services: services.map(statusOf) };
    } catch (error) {
      const detail = detailOf(error, SpawnServiceResponseSchema);
      if (!detail) throw error;
      const outcome = codeOf(error) === "timed_out" ? "timed_out" : "failed";
      return { outcome, services: detail.services.map(statusOf) };
    }
  }

  /** Ends a service, after what it has in flight. */
  async stop(name: string, options: CallOptions = {}): Promise<void> {
    await this.#client.stopService({ name }, sent(options));
  }

  /** YAML for `tbot start -c`. */
  async configuration(options: CallOptions = {}): Promise<string> {
    return (await this.#client.getConfig({}, sent(options))).configuration;
  }

  /** Of all services, or of one. */
  async statuses(name = "", options: CallOptions = {}): Promise<readonly RemoteStatus[]> {
    return (await this.#client.getServiceStatus({ name }, sent(options))).services.map(statusOf);
  }

  async *watch(options: CallOptions = {}): AsyncGenerator<RemoteEvent, void, undefined> {
    for await (const { event, service } of this.#client.watchServices({}, sent(options)))
      if (service) yield { event, service: statusOf(service) };
  }

  /** Lines of the bot's log: the last `tail` (0: all that it holds), then, with `follow`, new ones. */
  async *logs(
    request: { readonly service?: string; readonly tail?: number; readonly follow?: boolean },
    options: CallOptions = {},
  ): AsyncGenerator<string, void, undefined> {
    for await (const { text } of this.#client.watchLogs(request, sent(options))) yield text;
  }

  /** What the bot's roles open; every label must match, where `*` takes any value. */
  async query(
    kind: QueryKind,
    labels: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<readonly Found[]> {
    const { results } = await this.#client.query({ kind, labels: { ...labels } }, sent(options));
    return results.map(foundOf);
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }
}

function statusOf(service: ServiceStatus): RemoteStatus {
  const { name, type, status, reason, updatedAt, spawned } = service;
  return {
    name,
    type,
    status,
    ...(reason === "" ? {} : { reason }),
    updatedAt: updatedAt ? timestampMs(updatedAt) : 0,
    spawned,
  };
}

const foundOf = ({ name, labels, description, address, hostname }: QueryResult): Found => ({
  name,
  labels,
  description,
  address,
  hostname,
});

const durationOf = (ms: number) =>
  create(DurationSchema, {
    seconds: BigInt(Math.floor(ms / 1_000)),
    nanos: (ms % 1_000) * 1_000_000,
  });
