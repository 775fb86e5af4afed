import type { KeyObject } from "node:crypto";
import type { SshSigner } from "#base/crypto";
import { badParameter, type Clock, type Logger } from "#base/kernel";
import type { Store, Write } from "#base/storage";
import { authorityTypes, type AuthorityType } from "#domain/resources";
import { encodeAppToken, type AppTokenRequest } from "./app-token.ts";
import { ensureAuthorities, readPrivateKeys, type AuthoritySet } from "./bootstrap.ts";
import { describe, type AuthoritySummary } from "./describe.ts";
import { exportAuthority, trustedKeys, type ExportFormat } from "./export.ts";
import type { HostClaims, UserClaims } from "./identity.ts";
import { hostSsh, hostX509, userSsh, userX509, type HostNames, type Validity } from "./issue.ts";
import {
  decodeJoinState,
  encodeJoinState,
  type JoinStateClaims,
  type JoinStateDraft,
} from "./join-state.ts";
import { CLOCK_SKEW_MS, type Circumstances } from "./keys.ts";
import {
  jwtPublicKey,
  jwtSigner,
  sshSignerOf,
  x509Signer,
  type JwtSigner,
  type StoredKeys,
  type X509Signer,
} from "./signers.ts";
import { trustOf, type Trust } from "./trust.ts";

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

export interface IssuedCredentials {
  /** DER; empty when no TLS key was given. */
  readonly tlsCertificate: Buffer;
  /** A line; empty when no SSH key was given. */
  readonly sshCertificate: string;
  readonly trust: Trust;
  /** End of both, milliseconds since the epoch. */
  readonly expires: number;
}

/** Spec section 5: a bot's own identity lasts at most a week, and nothing lasts longer. */
export const MAX_TTL_MS = 7 * 24 * 60 * 60 * 1000;

interface Signers {
  readonly user: { readonly x509: X509Signer; readonly ssh: SshSigner };
  readonly host: { readonly x509: X509Signer; readonly ssh: SshSigner };
  readonly join: JwtSigner;
  readonly app: JwtSigner;
}

/**
 * Holds the private keys of the cluster's authorities, and is the only one who does. Whoever calls
 * `issue…` or `sign…` has already verified, decided and committed what the result will say.
 */
export class Authorities {
  readonly clusterName: string;
  readonly #clock: Clock;
  readonly #authorities: AuthoritySet;
  readonly #signers: Signers;
  readonly #trust: Trust;
  readonly #joinKeys: readonly KeyObject[];

  private constructor(clock: Clock, authorities: AuthoritySet, signers: Signers) {
    this.clusterName = authorities.user.spec.cluster_name;
    this.#clock = clock;
    this.#authorities = authorities;
    this.#signers = signers;
    this.#trust = trustOf(authorities);
    this.#joinKeys = trustedKeys(authorities.join).map(jwtPublicKey);
  }

  /** Loads the authorities, after making those that are missing. */
  static async open(options: AuthoritiesOptions): Promise<Authorities> {
    const { store, clock } = options;
    const authorities = await ensureAuthorities({ ...options, now: clock.now() });
    return new Authorities(clock, authorities, await loadSigners(store, authorities));
  }

  /** What everyone needs to verify this cluster's certificates. */
  trust(): Trust {
    return this.#trust;
  }

  /** `bad_parameter` for keys of another type, a TTL out of range, or no key at all. */
  issueUser(claims: UserClaims, keys: KeysToCertify): IssuedCredentials {
    const { tlsPublicKey, sshPublicKey } = keys;
    const { x509, ssh } = this.#signers.user;
    const validity = this.#validity(keys, x509);
    const terms = { ...validity, clusterName: this.clusterName };
    return {
      tlsCertificate: tlsPublicKey?.length
        ? userX509(claims, tlsPublicKey, { ...terms, signer: x509 })
        : Buffer.alloc(0),
      sshCertificate: sshPublicKey ? userSsh(claims, sshPublicKey, { ...terms, signer: ssh }) : "",
      trust: this.#trust,
      expires: validity.notAfter,
    };
  }

  /** The certificate of a proxy also names `HOST_SERVER_NAME`. */
  issueHost(host: HostClaims & HostNames, keys: KeysToCertify): IssuedCredentials {
    const { tlsPublicKey, sshPublicKey } = keys;
    const { dnsNames, ipAddresses, sshPrincipals, ...claims } = host;
    const about = { claims, names: { dnsNames, ipAddresses, sshPrincipals } };
    const { x509, ssh } = this.#signers.host;
    const validity = this.#validity(keys, x509);
    const terms = { ...validity, clusterName: this.clusterName };
    return {
      tlsCertificate: tlsPublicKey?.length
        ? hostX509(about, tlsPublicKey, { ...terms, signer: x509 })
        : Buffer.alloc(0),
      sshCertificate: sshPublicKey ? hostSsh(about, sshPublicKey, { ...terms, signer: ssh }) : "",
      trust: this.#trust,
      expires: validity.notAfter,
    };
  }

  signJoinState(state: JoinStateDraft): string {
    return encodeJoinState(state, this.#signers.join, this.#circumstances());
  }

  /**
   * The claims, if one of our trusted keys signed them for this cluster; else `unauthenticated`.
   * Audience, subject, times, instance and sequence are the caller's to compare.
   */
  verifyJoinState(jwt: string): JoinStateClaims {
    return decodeJoinState(jwt, this.#joinKeys, { clusterName: this.clusterName });
  }

  /** A JWT for the application's own use (ES256); its keys are `exportAuthority("app")`. */
  signAppToken(request: AppTokenRequest): string {
    return encodeAppToken(request, this.#signers.app, this.#circumstances());
  }

  exportAuthority(type: AuthorityType, format?: ExportFormat): string {
    return exportAuthority(this.#authorities[type], format);
  }

  /** One line for each authority, for `tctl status`. */
  describe(): AuthoritySummary[] {
    return authorityTypes.map((type) => describe(this.#authorities[type]));
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

async function loadSigners(store: Store, authorities: AuthoritySet): Promise<Signers> {
  const load = async (type: AuthorityType): Promise<StoredKeys> => {
    const publicKeys = authorities[type].spec.active;
    return { publicKeys, privateKeys: await readPrivateKeys(store, publicKeys.key_id) };
  };
  const [user, host, join, app] = await Promise.all(
    (["user", "host", "join", "app"] as const).map(load),
  );
  return {
    user: { x509: x509Signer(user!), ssh: sshSignerOf(user!) },
    host: { x509: x509Signer(host!), ssh: sshSignerOf(host!) },
    join: jwtSigner(join!),
    app: jwtSigner(app!),
  };
}
