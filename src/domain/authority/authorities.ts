import { KnownDocuments } from "#base/crypto";
import { badParameter, type Clock, type Logger } from "#base/kernel";
import type { Store, Write } from "#base/storage";
import { authorityTypes, type AuthorityType } from "#domain/resources";
import { encodeAppToken, type AppTokenRequest } from "./app-token.ts";
import { ensureAuthorities } from "./bootstrap.ts";
import { CurrentVerifier } from "./current-verifier.ts";
import { describe, type AuthoritySummary } from "./describe.ts";
import { exportAuthority, type ExportFormat } from "./export.ts";
import { hold, type Held } from "./held.ts";
import type { HostClaims, UserClaims } from "./identity.ts";
import { hostSsh, hostX509, userSsh, userX509, type HostNames, type Validity } from "./issue.ts";
import { outdatedJoinState, verifyJoinState, type OutdatedJoinState } from "./join-keys.ts";
import {
  encodeJoinState,
  readJoinState,
  type JoinStateClaims,
  type JoinStateDraft,
} from "./join-state.ts";
import { Keeper } from "./keeper.ts";
import { CLOCK_SKEW_MS, type Circumstances } from "./keys.ts";
import { linksOf } from "./link.ts";
import { rotate, rotateDue, type RotateContext, type RotateRequest } from "./rotate.ts";
import { nextPhaseAt } from "./rotation.ts";
import type { X509Signer } from "./signers.ts";
import { MAX_TTL_MS, type Trust } from "./trust.ts";

export interface AuthoritiesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Needed at the first start; later it must be the same, or absent. */
  readonly clusterName?: string;
  /** Committed together with the first authorities, such as the built-in roles. */
  readonly firstWrites?: readonly Write[];
}

/** The public keys to certify: DER SubjectPublicKeyInfo and an OpenSSH line, either or both. */
export interface KeysToCertify {
  readonly tlsPublicKey?: Uint8Array | undefined;
  readonly sshPublicKey?: string | undefined;
  readonly ttlMs: number;
}

/** Whom the audit log names for a rotation, and how it is written to. */
export type RotatedBy = Pick<RotateContext, "actor" | "remoteAddr" | "audit">;

export interface IssuedCredentials {
  /** DER; empty when no TLS key was given. */
  readonly tlsCertificate: Buffer;
  /** A line; empty when no SSH key was given. */
  readonly sshCertificate: string;
  readonly trust: Trust;
  /** End of both, milliseconds since the epoch. */
  readonly expires: number;
}

/**
 * Holds the private keys of the cluster's authorities, and is the only one who does. Whoever calls
 * `issue…` or `sign…` has already verified, decided and committed what the result will say.
 */
export class Authorities {
  readonly clusterName: string;
  /** Of the certificates that this cluster's authorities gave, for everyone in this process. */
  readonly verifier: CurrentVerifier;
  /** Certificates that were signed here; who may trust them still is the trust bundle's to say. */
  readonly #issued = new KnownDocuments();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #keeper: Keeper;

  private constructor({ store, clock }: AuthoritiesOptions, held: Held) {
    this.clusterName = held.trust.clusterName;
    this.#store = store;
    this.#clock = clock;
    this.#keeper = new Keeper(store, held);
    this.verifier = new CurrentVerifier(
      () => this.trust(),
      (der) => this.#issued.has(der),
    );
  }

  /** Loads the authorities, after making those that are missing. */
  static async open(options: AuthoritiesOptions): Promise<Authorities> {
    const { store, clock } = options;
    const authorities = await ensureAuthorities({ ...options, now: clock.now() });
    return new Authorities(options, await hold(store, authorities));
  }

  /**
   * Keeps in step with the store until the signal aborts; `onReady` once nothing can be missed any
   * more. Rejects when the store does: run it again, and what was known stays in use meanwhile.
   */
  follow(options: { signal: AbortSignal; onReady?: () => void }): Promise<void> {
    return this.#keeper.follow(options);
  }

  /** Takes in what the store holds now, all at once: signers, trust, and then those who listen. */
  reload(): Promise<void> {
    return this.#keeper.reload();
  }

  /** Called after each change of any authority. */
  onChange(changed: () => void): Disposable {
    return this.#keeper.onChange(changed);
  }

  /** What everyone needs to verify this cluster's certificates; another object when it changes. */
  trust(): Trust {
    return this.#held.trust;
  }

  /** Names the keys that sign for a type now: another name, other keys. */
  activeKeyId(type: AuthorityType): string {
    return this.#held.authorities[type].spec.active.key_id;
  }

  /** What a server shows below its host certificate, DER: see `linkCertificate`. */
  hostLinks(): readonly Buffer[] {
    return linksOf(this.#held.authorities.host, this.#clock.now());
  }

  /** `bad_parameter` for keys of another type, a TTL out of range, or no key at all. */
  issueUser(claims: UserClaims, keys: KeysToCertify): IssuedCredentials {
    const { tlsPublicKey, sshPublicKey } = keys;
    const { x509, ssh } = this.#held.signers.user;
    const validity = this.#validity(keys, x509);
    const terms = { ...validity, clusterName: this.clusterName };
    return {
      tlsCertificate: this.#remembered(
        tlsPublicKey?.length && userX509(claims, tlsPublicKey, { ...terms, signer: x509 }),
      ),
      sshCertificate: sshPublicKey ? userSsh(claims, sshPublicKey, { ...terms, signer: ssh }) : "",
      trust: this.#held.trust,
      expires: validity.notAfter,
    };
  }

  /** The certificate of a proxy also names `HOST_SERVER_NAME`. */
  issueHost(host: HostClaims & HostNames, keys: KeysToCertify): IssuedCredentials {
    const { tlsPublicKey, sshPublicKey } = keys;
    const { dnsNames, ipAddresses, sshPrincipals, ...claims } = host;
    const about = { claims, names: { dnsNames, ipAddresses, sshPrincipals } };
    const { x509, ssh } = this.#held.signers.host;
    const validity = this.#validity(keys, x509);
    const terms = { ...validity, clusterName: this.clusterName };
    return {
      tlsCertificate: this.#remembered(
        tlsPublicKey?.length && hostX509(about, tlsPublicKey, { ...terms, signer: x509 }),
      ),
      sshCertificate: sshPublicKey ? hostSsh(about, sshPublicKey, { ...terms, signer: ssh }) : "",
      trust: this.#held.trust,
      expires: validity.notAfter,
    };
  }

  signJoinState(state: JoinStateDraft): string {
    const jwt = encodeJoinState(state, this.#held.signers.join, this.#circumstances());
    this.#held.joinStates.add(jwt);
    return jwt;
  }

  /**
   * The claims, if a key of ours signed them for this cluster that is trusted, or was until a rotation
   * ended not long ago; else `unauthenticated`. Audience, subject, times, instance and sequence are
   * the caller's to compare.
   */
  verifyJoinState(jwt: string): JoinStateClaims {
    if (this.#held.joinStates.has(jwt)) return readJoinState(jwt, this);
    return verifyJoinState(jwt, this.#held.joinKeys, this.#circumstances());
  }

  /**
   * What a join state says that `verifyJoinState` refuses, if it is ours and only too old: its key
   * left with a rotation.
   */
  outdatedJoinState(jwt: string): OutdatedJoinState | undefined {
    return outdatedJoinState(jwt, this.#held.joinKeys, this);
  }

  /** A JWT for the application's own use (ES256); its keys are `exportAuthority("app")`. */
  signAppToken(request: AppTokenRequest): string {
    return encodeAppToken(request, this.#held.signers.app, this.#circumstances());
  }

  exportAuthority(type: AuthorityType, format?: ExportFormat): string {
    return exportAuthority(this.#held.authorities[type], format);
  }

  /** One line for each authority, for `tctl status`. */
  describe(types: readonly AuthorityType[] = authorityTypes): AuthoritySummary[] {
    return types.map((type) => describe(this.#held.authorities[type]));
  }

  /**
   * Takes authorities to a phase of a rotation, all or none: durable, told to the audit log and in use
   * here when it resolves, and known to the other processes at once after. False: they had the phase
   * already. `bad_parameter` where it cannot follow, `unavailable` where others rotate at the time.
   */
  async rotate(request: RotateRequest, by: RotatedBy): Promise<boolean> {
    return await this.#keeper.after(() => rotate(request, this.#rotation(by)));
  }

  /** Takes automatic rotations whose time has come one phase on. */
  async rotateDue(by: RotatedBy): Promise<void> {
    if ((this.nextRotationAt() ?? Infinity) > this.#clock.now()) return;
    await this.#keeper.after(() => rotateDue(this.#rotation(by)));
  }

  /** When the next phase of an automatic rotation begins, milliseconds since the epoch. */
  nextRotationAt(): number | undefined {
    const times = authorityTypes.flatMap((type) => nextPhaseAt(this.#held.authorities[type]) ?? []);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  #remembered(tlsCertificate: Buffer | 0 | undefined): Buffer {
    if (!tlsCertificate) return Buffer.alloc(0);
    this.#issued.add(tlsCertificate);
    return tlsCertificate;
  }

  #rotation(by: RotatedBy): RotateContext {
    return { ...by, store: this.#store, now: this.#clock.now() };
  }

  get #held(): Held {
    return this.#keeper.held;
  }

  #circumstances(): Circumstances {
    return { clusterName: this.clusterName, now: this.#clock.now() };
  }

  #validity({ ttlMs, tlsPublicKey, sshPublicKey }: KeysToCertify, signer: X509Signer): Validity {
    if (!tlsPublicKey?.length && !sshPublicKey) throw badParameter("no public key to certify");
    if (!(ttlMs >= 1000 && ttlMs <= MAX_TTL_MS))
      throw badParameter(
        `a certificate cannot last ${ttlMs / 1000} seconds; choose 1 second to ${MAX_TTL_MS / 1000}`,
      );
    const now = this.#clock.now();
    return {
      notBefore: wholeSeconds(now - CLOCK_SKEW_MS),
      notAfter: wholeSeconds(Math.min(now + ttlMs, signer.notAfter)),
    };
  }
}

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;
