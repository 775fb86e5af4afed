import { durationMs } from "#base/config";
import { generateKeyPair, spkiDer, sshPublicKeyLine } from "#base/crypto";
import type { Clock, Logger } from "#base/kernel";
import { connectLocal, type LocalTransport } from "#base/local";
import { trustFromProto, type Trust } from "#domain/authority";
import type { ClusterClient } from "#services/enrolment";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, type Client } from "@connectrpc/connect";
import {
  CredentialService,
  type GenerateIdentityRequestSchema,
} from "@tenon/api/tenon/tbot/v1/credential";
import { sent } from "./call-options.ts";
import { clusterClient } from "./cluster-client.ts";
import {
  generatedIdentity,
  wantsSsh,
  type CredentialSource,
  type GeneratedIdentity,
  type IdentityRequest,
} from "./credentials.ts";
import { followRotations } from "./rotations.ts";

export interface BotClientOptions {
  /** A path, `unix:///path` or `file:///path`. */
  readonly socket: string;
  /** See `CallOptions`. */
  readonly purpose?: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** Gets credentials from a bot on this machine, through a socket of its credential API. */
export class BotClient implements CredentialSource, Disposable {
  readonly logger: Logger;
  readonly #options: BotClientOptions;
  readonly #transport: LocalTransport;
  readonly #client: Client<typeof CredentialService>;
  readonly #closing = new AbortController();

  private constructor(options: BotClientOptions, transport: LocalTransport) {
    this.logger = options.logger;
    this.#options = options;
    this.#transport = transport;
    this.#client = createClient(CredentialService, transport);
  }

  /** Nothing is sent yet. */
  static async open(options: BotClientOptions): Promise<BotClient> {
    return new BotClient(options, await connectLocal(options.socket));
  }

  async generateIdentity(request: IdentityRequest = {}): Promise<GeneratedIdentity> {
    const key = generateKeyPair("ecdsa-p256");
    const reply = await this.#client.generateIdentity(
      {
        tlsPublicKey: spkiDer(key.publicKey),
        sshPublicKey: wantsSsh(request) ? sshPublicKeyLine(key.publicKey) : "",
        roles: [...(request.roles ?? [])],
        ...(request.ttl === undefined ? {} : { ttl: durationFromMs(durationMs(request.ttl)) }),
        ...routeOf(request),
      },
      sent({ ...this.#options, ...request }),
    );
    return generatedIdentity(key, reply, reply.proxyAddr);
  }

  async listenForRotation(listener: () => void): Promise<Disposable> {
    return await followRotations({
      ...this.#options,
      signal: this.#closing.signal,
      watch: (signal) => this.#client.watchRotation({}, { signal }),
      listener,
    });
  }

  clientForIdentity(identity: GeneratedIdentity): ClusterClient {
    return clusterClient(identity, this.#options.clock);
  }

  async getTrust(): Promise<Trust> {
    return trustFromProto(await this.#client.getTrust({}));
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
    this.#transport[Symbol.dispose]();
  }
}

type Route = NonNullable<MessageInitShape<typeof GenerateIdentityRequestSchema>["route"]>;

function routeOf({ application, database, kubernetes }: IdentityRequest): { route?: Route } {
  if (application !== undefined)
    return { route: { case: "application", value: { name: application } } };
  if (database !== undefined) return { route: { case: "database", value: { ...database } } };
  if (kubernetes !== undefined)
    return { route: { case: "kubernetes", value: { cluster: kubernetes } } };
  return {};
}
