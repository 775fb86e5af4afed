import { unauthenticated, type Clock } from "#base/kernel";
import type { RpcContext } from "#base/rpc";
import type { Caller, UserIdentity } from "#domain/access";
import type { Authorities, VerifiedCertificate } from "#domain/authority";
import { reasonOf } from "./refusals.ts";
import { botInstanceName, type Resources, type Role } from "#domain/resources";

/** A caller, and the certificate that proves it. */
export interface Authenticated {
  readonly caller: Caller;
  readonly certificate?: VerifiedCertificate;
}

interface CallerReaderParts {
  readonly authorities: Pick<Authorities, "verifier">;
  readonly resources: Pick<Resources, "get">;
  readonly clock: Clock;
}

/** Finds out who makes a call: what the certificate says, and what the store says of its holder. */
export class CallerReader {
  readonly #parts: CallerReaderParts;

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
    return this.#parts.authorities.verifier.verify(der, this.#parts.clock.now());
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
