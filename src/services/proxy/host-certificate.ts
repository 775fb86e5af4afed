import { generateKeyPair, privateKeyPem, spkiDer, x509Pem } from "#base/crypto";
import { Bell, runRepeatedly, type Clock, type Logger } from "#base/kernel";
import type { Authorities } from "#domain/authority";
import {
  CertificateHolder,
  type CertificateSource,
  type ServerCertificate,
} from "./certificate.ts";

/** A stolen key of a proxy is of use for no longer than this. */
const LIFETIME_MS = 24 * 3_600_000;
const RENEW_AFTER_MS = 8 * 3_600_000;
/** The authorities are in this process: what keeps them from signing passes soon, or never. */
const RETRY = { firstMs: 1_000, maxMs: 60_000 };

export interface HostCertificateOptions {
  readonly authorities: Authorities;
  /** UUID of this proxy. */
  readonly hostId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * What the proxy shows to the cluster's own clients; its key never leaves the memory. Renewed on
 * schedule, and at once when the host authority signs with other keys.
 */
export class HostCertificate implements CertificateSource, AsyncDisposable {
  readonly #holder: CertificateHolder;
  readonly #stop = new AbortController();
  readonly #renewing: Promise<void>;
  readonly #subscription: Disposable;
  /** Of the host authority, as it signed what is shown now. */
  #keyId: string;

  constructor(options: HostCertificateOptions) {
    const { authorities, clock, random, logger } = options;
    const bell = new Bell();
    this.#keyId = authorities.activeKeyId("host");
    this.#holder = new CertificateHolder([issue(options)]);
    const renew = async (): Promise<void> => {
      this.#holder.replace([issue(options)]);
      this.#keyId = authorities.activeKeyId("host");
    };
    this.#subscription = authorities.onChange(() => {
      if (authorities.activeKeyId("host") !== this.#keyId) bell.ring();
    });
    this.#renewing = runRepeatedly({
      clock,
      random,
      intervalMs: RENEW_AFTER_MS,
      retry: RETRY,
      signal: this.#stop.signal,
      bell,
      run: skipFirst(renew),
      onFailure: (error) => logger.error("cannot renew the proxy's host certificate", { error }),
    });
  }

  current(): readonly ServerCertificate[] {
    return this.#holder.current();
  }

  onChange(changed: () => void): Disposable {
    return this.#holder.onChange(changed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    this.#stop.abort();
    await this.#renewing;
  }
}

function issue({ authorities, hostId }: HostCertificateOptions): ServerCertificate {
  const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
  const { tlsCertificate } = authorities.issueHost(
    { hostId, roles: ["Proxy"] },
    { tlsPublicKey: spkiDer(publicKey), ttlMs: LIFETIME_MS },
  );
  const chain = [tlsCertificate, ...authorities.hostLinks()];
  return { cert: chain.map((der) => x509Pem(der)).join(""), key: privateKeyPem(privateKey) };
}

/** The loop's first run falls into the constructor, which has just issued one. */
function skipFirst(run: () => Promise<void>): () => Promise<void> {
  let first = true;
  return async () => {
    if (!first) await run();
    first = false;
  };
}
