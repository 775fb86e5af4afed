import type { Trust } from "./trust.ts";
import { ClientVerifier, type IsOurs, type VerifiedCertificate } from "./verify.ts";

/** Certificates of one process's clients that come again and again; each entry takes some 3 KB. */
const MAX_REMEMBERED = 4_096;
/** An authority's own end is looked at again after this long. */
const REMEMBERED_MS = 5 * 60_000;

interface Entry {
  readonly verified: VerifiedCertificate;
  readonly until: number;
}

/**
 * Verifies client certificates against the trust bundle of the moment. One that passed is remembered
 * for a while, for the signature costs more than everything else together; its own end is always
 * looked at, and another bundle forgets everything.
 */
export class CurrentVerifier {
  readonly #trust: () => Trust;
  readonly #isOurs: IsOurs | undefined;
  readonly #remembered = new Map<string, Entry>();
  #current: { readonly trust: Trust; readonly verifier: ClientVerifier } | undefined;

  constructor(trust: () => Trust, isOurs?: IsOurs) {
    this.#trust = trust;
    this.#isOurs = isOurs;
  }

  /** As `ClientVerifier.verify`. */
  verify(der: Uint8Array, now: number): VerifiedCertificate {
    const verifier = this.#verifier();
    const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("latin1");
    const entry = this.#remembered.get(key);
    if (entry && now < entry.until) return entry.verified;
    const verified = verifier.verify(der, now);
    this.#remember(key, verified, now);
    return verified;
  }

  #verifier(): ClientVerifier {
    const trust = this.#trust();
    if (this.#current?.trust === trust) return this.#current.verifier;
    this.#remembered.clear();
    this.#current = { trust, verifier: new ClientVerifier(trust, this.#isOurs) };
    return this.#current.verifier;
  }

  #remember(key: string, verified: VerifiedCertificate, now: number): void {
    this.#remembered.delete(key);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    const until = Math.min(now + REMEMBERED_MS, verified.identity.expires);
    this.#remembered.set(key, { verified, until });
  }
}
