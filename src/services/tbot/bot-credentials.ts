import { durationMs } from "#base/config";
import { generateKeyPair, spkiDer, sshPublicKeyLine } from "#base/crypto";
import type { Clock, Logger } from "#base/kernel";
import type { Trust } from "#domain/authority";
import {
  clusterClient,
  generatedIdentity,
  wantsSsh,
  type CredentialSource,
  type GeneratedIdentity,
  type IdentityRequest,
} from "#services/bot-client";
import type { ClusterClient } from "#services/enrolment";
import type { BotIdentity } from "./identity.ts";

export interface BotCredentialsOptions {
  readonly identity: BotIdentity;
  /** Of certificates whose life nobody names. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a bot gives to the program that it runs in; calls wait for its first join. */
export class BotCredentials implements CredentialSource {
  readonly logger: Logger;
  readonly #options: BotCredentialsOptions;

  constructor(options: BotCredentialsOptions) {
    this.logger = options.logger;
    this.#options = options;
  }

  async generateIdentity(request: IdentityRequest = {}): Promise<GeneratedIdentity> {
    const { identity, ttlMs } = this.#options;
    const { signal = new AbortController().signal, ttl, roles = [] } = request;
    const key = generateKeyPair("ecdsa-p256");
    const certified = await identity.certify(
      {
        tlsPublicKey: spkiDer(key.publicKey),
        sshPublicKey: wantsSsh(request) ? sshPublicKeyLine(key.publicKey) : "",
        roles: [...roles],
        ttlSeconds: Math.ceil((ttl === undefined ? ttlMs : durationMs(ttl)) / 1_000),
        ...routeOf(request),
      },
      signal,
    );
    return generatedIdentity(key, certified, identity.proxyAddress);
  }

  listenForRotation(listener: () => void): Promise<Disposable> {
    return Promise.resolve(this.#options.identity.onRenewalAsked(listener));
  }

  clientForIdentity(identity: GeneratedIdentity): ClusterClient {
    return clusterClient(identity, this.#options.clock);
  }

  async getTrust(): Promise<Trust> {
    const { identity } = this.#options;
    await identity.ready(new AbortController().signal);
    return identity.trust;
  }
}

const routeOf = ({ application, database, kubernetes }: IdentityRequest) => ({
  ...(application === undefined ? {} : { appName: application }),
  ...(database === undefined ? {} : { database: { ...database } }),
  ...(kubernetes === undefined ? {} : { kubernetesCluster: kubernetes }),
});
