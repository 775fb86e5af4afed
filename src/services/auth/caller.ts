import { unauthenticated, type Clock } from "#base/kernel";
import type { RpcContext } from "#base/rpc";
import type { Caller, UserIdentity } from "#domain/access";
import {
  ClientVerifier,
  type Authorities,
  type Trust,
  type VerifiedCertificate,
} from "#domain/authority";
import { reasonOf } from "./refusals.ts";
import { botInstanceName, type Resources, type Role } from "#domain/resources";

/** A caller, and the certificate that proves it. */
export interface Authenticated {
  readonly caller: Caller;
  readonly certificate?: VerifiedCertificate;
}

interface CallerReaderParts {
  readonly authorities: Pick<Authorities, "trust">;
  readonly resources: Pick<Resources, "get">;
  readonly clock: Clock;
}

/** Finds out who makes a call: what the certificate says, and what the store says of its holder. */
export class CallerReader {
  readonly #parts: CallerReaderParts;
  #verifier: { readonly trust: Trust; readonly verifier: ClientVerifier } | undefined;
  /** The certificate of a connection is one object, and its signature does not change. */
  readonly #verified = new WeakMap<Buffer, { certificate: VerifiedCertificate; trust: Trust }>();

  constructor(parts: CallerReaderParts) {
    this.#parts = parts;
  }

  /**
   * Anonymous without a certificate. Rejects with `unauthenticated` for one that is not accepted, or
   * whose user or bot instance was deleted.
   */
  async read(context: Pick<RpcContext, "local" | "peerCertificate">): Promise<Authenticated> {
    if (context.local) return { caller: { kind: "admin" } };
    if (!context.peerCertificate) return { caller: { kind: "anonymous" } };
    const certificate = this.verify(context.peerCertificate);
    if (certificate.kind === "host")
      return { certificate, caller: { kind: "host", identity: certificate.identity } };
    return { certificate, caller: await this.#user(certificate.identity) };
  }

  /** The certificate alone, against the authorities and the clock of now. */
  verify(der: Buffer): VerifiedCertificate {
    const trust = this.#parts.authorities.trust();
    const now = this.#parts.clock.now();
    const known = this.#verified.get(der);
    if (known?.trust === trust && now <= known.certificate.identity.expires)
      return known.certificate;
    if (this.#verifier?.trust !== trust)
      this.#verifier = { trust, verifier: new ClientVerifier(trust) };
    const certificate = this.#verifier.verifier.verify(der, now);
    this.#verified.set(der, { certificate, trust });
    return certificate;
  }

  /** Why a certificate is not accepted: for the audit log, never for its holder. */
  faultOf(der: Buffer): string {
    try {
      this.verify(der);
      return "its certificate was not verified by TLS";
    } catch (error) {
      return reasonOf(error);
    }
  }

  async #user(identity: UserIdentity): Promise<Caller> {
    const { resources } = this.#parts;
    const { botName, botInstanceId } = identity;
    const [user, instance, ...roles] = await Promise.all([
      resources.get("user", identity.user),
      botName && botInstanceId
        ? resources.get("bot_instance", botInstanceName(botName, botInstanceId))
        : undefined,
      ...identity.roles.map(async (name) => await resources.get("role", name)),
    ]);
    if (!user) throw gone(`user "${identity.user}" was deleted`);
    if (botInstanceId && !instance) throw gone(`bot instance "${botInstanceId}" was deleted`);
    return { kind: "user", identity, roles: roles.filter((role): role is Role => !!role) };
  }
}

const gone = (detail: string): Error =>
  unauthenticated("the certificate is not accepted; get a new one from this cluster", { detail });
