import { parseX509, privateKeyPem, x509Pem } from "#base/crypto";
import { badParameter, unavailable, type Logger } from "#base/kernel";
import { trustFromProto, type Trust } from "#domain/authority";
import type { ClusterClient } from "#services/enrolment";
import type { TrustBundle } from "@tenon/api/tenon/join/v1/join";
import type { KeyObject } from "node:crypto";

/** Where credentials come from: a bot in this process, or one behind a socket. */
export interface CredentialSource {
  /** A new key, and the bot's certificate for it. */
  generateIdentity(request?: IdentityRequest): Promise<GeneratedIdentity>;
  /**
   * Calls `listener` whenever credentials that were issued before should be issued again. Resolves
   * once nothing can be missed.
   */
  listenForRotation(listener: () => void): Promise<Disposable>;
  /** The cluster's API, called as this identity. */
  clientForIdentity(identity: GeneratedIdentity): ClusterClient;
  /** The cluster's authorities as the bot trusts them now. */
  getTrust(): Promise<Trust>;
  readonly logger: Logger;
}

/** At most one of `application`, `database` and `kubernetes`: what the X.509 certificate opens. */
export interface IdentityRequest {
  /** Default: all that the source gives. */
  readonly roles?: readonly string[];
  /** Such as `10m`; default: the source's. */
  readonly ttl?: string;
  readonly application?: string;
  /** Without a name of a database or of an account: any that the roles open. */
  readonly database?: {
    readonly service: string;
    readonly database?: string;
    readonly username?: string;
  };
  readonly kubernetes?: string;
  /** Whether an SSH certificate is wanted beside the X.509 one; default: without a route. */
  readonly ssh?: boolean;
  readonly signal?: AbortSignal;
}

/** A private key, its certificates, and what knows the cluster. */
export interface OutputCredentials {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** DER. */
  readonly tlsCertificate: Buffer;
  /** OpenSSH certificate line; empty when none was asked for. */
  readonly sshCertificate: string;
  readonly trust: Trust;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

export interface GeneratedIdentity extends OutputCredentials {
  /** Of the cluster's proxy, as the bot reaches it: `host:port`. */
  readonly proxyAddress: string;
}

export const pemOf = ({
  tlsCertificate,
  privateKey,
}: Pick<OutputCredentials, "tlsCertificate" | "privateKey">) => ({
  cert: x509Pem(tlsCertificate),
  key: privateKeyPem(privateKey),
});

/** Throws `bad_parameter` for several routes: a certificate opens one thing. */
export function wantsSsh({ ssh, application, database, kubernetes }: IdentityRequest): boolean {
  const routes = [application, database, kubernetes].filter((route) => route !== undefined);
  if (routes.length > 1)
    throw badParameter("give one of application, database and kubernetes: a certificate opens one");
  return ssh ?? routes.length === 0;
}

/** What was certified, as a whole; throws `unavailable` for an answer that lacks something. */
export function generatedIdentity(
  key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  certified: {
    readonly tlsCertificate: Uint8Array;
    readonly sshCertificate: string;
    readonly trust?: TrustBundle | undefined;
  },
  proxyAddress: string,
): GeneratedIdentity {
  if (!certified.trust)
    throw unavailable("the certificates came without the cluster's authorities; is the bot older?");
  const tlsCertificate = Buffer.from(certified.tlsCertificate);
  return {
    privateKey: key.privateKey,
    publicKey: key.publicKey,
    tlsCertificate,
    sshCertificate: certified.sshCertificate,
    trust: trustFromProto(certified.trust),
    expires: parseX509(tlsCertificate).notAfter,
    proxyAddress,
  };
}
