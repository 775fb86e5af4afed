import { generateKeyPair, spkiDer } from "#base/crypto";
import { Recent } from "#base/kernel";
import type { User } from "#domain/resources";
import type { WebParts } from "./parts.ts";

/** What a page shows to the authority lives this long; it never leaves this process. */
const TTL_MS = 3_600_000;
/** Renewed this long before its end, so that no call meets it. */
const RENEW_BEFORE_MS = 300_000;
/** Beyond this the one that was made first is forgotten. */
const MAX_HELD = 10_000;

interface Held {
  readonly certificate: Buffer;
  readonly revision: string;
  readonly expires: number;
}

/**
 * The certificates with which signed-in people make their calls, one for each person: the authority
 * sees a page as it sees `tctl`, with the same rules, locks and audit. Their private key is thrown
 * away: nobody can use them over a network.
 */
export class WebIdentities {
  readonly #parts: WebParts;
  readonly #held = new Recent<Held>(MAX_HELD);
  readonly #publicKey = spkiDer(generateKeyPair("ecdsa-p256").publicKey);

  constructor(parts: WebParts) {
    this.#parts = parts;
  }

  certificateOf(user: User): Buffer {
    const { name, revision = "" } = user.metadata;
    const held = this.#held.get(name);
    const now = this.#parts.clock.now();
    if (held?.revision === revision && now < held.expires - RENEW_BEFORE_MS)
      return held.certificate;
    return this.#issue(user, revision);
  }

  #issue(user: User, revision: string): Buffer {
    const { roles, traits } = user.spec;
    const claims = { user: user.metadata.name, roles, traits, logins: [], allowReissue: false };
    const { tlsCertificate: certificate, expires } = this.#parts.authorities.issueUser(claims, {
      tlsPublicKey: this.#publicKey,
      sshPublicKey: "",
      ttlMs: TTL_MS,
    });
    this.#held.set(user.metadata.name, { certificate, revision, expires });
    return certificate;
  }
}
