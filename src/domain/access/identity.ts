import type { Role, SystemRole, Traits } from "#domain/resources";
import type { Routed } from "./route.ts";

/** What a user certificate says of its holder, person or bot (spec section 4). */
export interface UserIdentity extends Routed {
  readonly user: string;
  readonly roles: readonly string[];
  readonly traits: Traits;
  readonly logins: readonly string[];
  /** Set for bots. */
  readonly botName?: string;
  readonly botInstanceId?: string;
  /** Only in a bot's own identity, never in its outputs. */
  readonly generation?: number;
  readonly joinToken?: string;
  /** SHA-256 fingerprint (`SHA256:…`) of the bound key that the bot joined with. */
  readonly boundKeyFingerprint?: string;
  /** Whether the holder may ask for another certificate with this one. */
  readonly allowReissue: boolean;
  /** End of the certificate, milliseconds since the epoch. */
  readonly expires: number;
}

/** What a host certificate says of an agent or a proxy. */
export interface HostIdentity {
  readonly hostId: string;
  readonly roles: readonly SystemRole[];
  readonly joinToken?: string;
  /** Of an agent that joined by bound keypair: what a bot's instance and generation are to a bot. */
  readonly instanceId?: string;
  readonly generation?: number;
  /** Likewise the fingerprint (`SHA256:…`) of its bound key. */
  readonly boundKeyFingerprint?: string;
  readonly expires: number;
}

/** Who makes a call, after its certificate was verified and its roles were read. */
export type Caller =
  | { readonly kind: "anonymous" }
  | { readonly kind: "user"; readonly identity: UserIdentity; readonly roles: readonly Role[] }
  | { readonly kind: "host"; readonly identity: HostIdentity }
  /** The administrator at the cluster's own local socket. */
  | { readonly kind: "admin" };
