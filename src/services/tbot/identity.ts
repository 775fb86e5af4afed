import type { KeyObject } from "node:crypto";
import { spkiDer, sshPublicKeyLine, parseX509 } from "#base/crypto";
import { unavailable } from "#base/kernel";
import { trustFromProto, type Trust } from "#domain/authority";
import type { JoinOutcome } from "#domain/join";
import type { OutputCredentials } from "#services/bot-client";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { IssueCertificatesRequestSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { Credentials, TrustBundle } from "@tenon/api/tenon/join/v1/join";
import {
  followTrust,
  formatAddress,
  type Address,
  type ClusterClient,
  type Enrolment,
  type FollowTrust,
} from "#services/enrolment";

export interface CredentialRequest {
  readonly key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  /** Empty: all that the bot has. */
  readonly roles: readonly string[];
  readonly ttlMs: number;
  readonly appName?: string;
  readonly allowReissue: boolean;
  /** Whether an SSH certificate is wanted beside the X.509 one. */
  readonly ssh: boolean;
}

/** The one identity of a bot, from which all its services get theirs. */
export class BotIdentity {
  readonly #enrolment: Enrolment;
  readonly #asked = new Listeners();
  readonly #reached = new Listeners();
  readonly #first = Promise.withResolvers<void>();

  constructor(enrolment: Enrolment) {
    this.#enrolment = enrolment;
    if (enrolment.current) this.#first.resolve();
  }

  /** End of its certificate, milliseconds since the epoch; 0 before the first join. */
  get expires(): number {
    return this.#enrolment.current?.expires ?? 0;
  }

  /** What the bot trusts now; that of credentials is from when they were issued. */
  get trust(): Trust {
    if (this.#enrolment.current) return this.#enrolment.current.trust;
    throw unavailable("the bot has not joined yet");
  }

  get address(): Address {
    return this.#enrolment.address;
  }

  /** Of the cluster's proxy: `host:port`. */
  get proxyAddress(): string {
    return formatAddress(this.address);
  }

  get client(): ClusterClient {
    return this.#enrolment.client;
  }

  /** Joins or refreshes now; the service `bot-identity` calls it on its schedule. */
  async renew(signal: AbortSignal): Promise<JoinOutcome> {
    const outcome = await this.#enrolment.join(signal);
    this.#first.resolve();
    this.reached();
    return outcome;
  }

  /** See `followTrust`. */
  async followTrust(options: Omit<FollowTrust, "enrolment">): Promise<void> {
    await followTrust({ ...options, enrolment: this.#enrolment });
  }

  /** Asks for a certificate with a part of what the bot may do. Waits for the first join. */
  async issue(request: CredentialRequest, signal: AbortSignal): Promise<OutputCredentials> {
    const { privateKey, publicKey } = request.key;
    const { trust, ...certified } = await this.certify(
      {
        tlsPublicKey: spkiDer(publicKey),
        sshPublicKey: request.ssh ? sshPublicKeyLine(publicKey) : "",
        roles: [...request.roles],
        ttlSeconds: Math.ceil(request.ttlMs / 1000),
        appName: request.appName ?? "",
        allowReissue: request.allowReissue,
      },
      signal,
    );
    const tlsCertificate = Buffer.from(certified.tlsCertificate);
    return {
      privateKey,
      publicKey,
      tlsCertificate,
      sshCertificate: certified.sshCertificate,
      trust: trustFromProto(trust),
      expires: parseX509(tlsCertificate).notAfter,
    };
  }

  /** The same for keys whose private halves are elsewhere, as the cluster answers. */
  async certify(
    request: MessageInitShape<typeof IssueCertificatesRequestSchema>,
    signal: AbortSignal,
  ): Promise<Credentials & { readonly trust: TrustBundle }> {
    await this.ready(signal);
    const reply = await this.#enrolment.client.auth.issueCertificates(request, { signal });
    const { trust } = reply;
    if (trust) return { ...reply, trust };
    throw unavailable(
      "the cluster sent certificates without its authorities; is it of another version?",
    );
  }

  /** Resolves once the bot has an identity. */
  async ready(signal: AbortSignal): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const stop = (): void =>
      reject(unavailable("the service was stopped before the bot had joined"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([this.#first.promise, promise]).finally(() =>
      signal.removeEventListener("abort", stop),
    );
  }

  /** Everything renews now: SIGUSR1, or a change of the cluster's authorities. */
  askRenewal(): void {
    this.#asked.tell();
  }

  onRenewalAsked(listener: () => void): Disposable {
    return this.#asked.add(listener);
  }

  /** The cluster talks to this bot (again): what failed meanwhile need not wait any longer. */
  reached(): void {
    this.#reached.tell();
  }

  onReached(listener: () => void): Disposable {
    return this.#reached.add(listener);
  }
}

class Listeners {
  readonly #all = new Set<() => void>();

  add(listener: () => void): Disposable {
    this.#all.add(listener);
    return { [Symbol.dispose]: () => void this.#all.delete(listener) };
  }

  tell(): void {
    for (const listener of this.#all) listener();
  }
}
