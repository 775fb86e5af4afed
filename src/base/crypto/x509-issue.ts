import { randomUUID, type KeyObject } from "node:crypto";
import { bitString, contextTag, der, oid, sequence, unsignedInteger } from "./der.ts";
import { spkiDer, suiteOf } from "./keys.ts";
import { publicKeyBytes, type KeySuite } from "./public-key.ts";
import { sha256 } from "./random.ts";
import { SIGNATURE_OIDS, signDer } from "./signature.ts";
import { authorityKeyIdentifier, subjectKeyIdentifier } from "./x509-extensions.ts";
import { nameDer, timeDer, type Name } from "./x509-name.ts";
import { parseX509 } from "./x509-parse.ts";

/** Writing X.509 v3 certificates (RFC 5280), signed by P-256 or Ed25519 keys. */

/** AlgorithmIdentifier, without parameters. */
const ALGORITHM: Readonly<Record<KeySuite, Buffer>> = {
  ed25519: sequence(oid(SIGNATURE_OIDS.ed25519)),
  "ecdsa-p256": sequence(oid(SIGNATURE_OIDS["ecdsa-p256"])),
};

/** Who signs, with every part that does not change made ready. */
export interface X509Issuer {
  readonly privateKey: KeyObject;
  readonly nameDer: Buffer;
  readonly authorityKeyId: Buffer;
  readonly algorithm: Buffer;
}

/** Makes an issuer of a CA certificate and its key. */
export function x509Issuer(certificate: Uint8Array, privateKey: KeyObject): X509Issuer {
  const parsed = parseX509(certificate);
  return {
    privateKey,
    nameDer: parsed.subjectDer,
    authorityKeyId: authorityKeyIdentifier(parsed.subjectKeyId ?? keyIdOf(parsed.spki)),
    algorithm: ALGORITHM[suiteOf(privateKey)],
  };
}

export interface X509Draft {
  /** 1 to 20 bytes; without it 16 random ones. */
  readonly serial?: Uint8Array;
  readonly subject: Name;
  readonly publicKeySpki: Uint8Array;
  /** Milliseconds since the epoch; certificates hold whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** From `x509-extensions.ts`; the two key identifiers are added. */
  readonly extensions: readonly Buffer[];
}

/** Gives DER. The key must be Ed25519 or P-256, in canonical form (`bad_parameter`). */
export function issueX509(draft: X509Draft & { readonly issuer: X509Issuer }): Buffer {
  const keyId = keyIdOf(draft.publicKeySpki);
  return signed(draft, draft.issuer, { name: nameDer(draft.subject), keyId });
}

/** A certificate that names and signs itself: authorities, and a web certificate at first start. */
export function selfSignX509(
  draft: Omit<X509Draft, "publicKeySpki"> & { readonly privateKey: KeyObject },
): Buffer {
  const publicKeySpki = spkiDer(draft.privateKey);
  const subject = { name: nameDer(draft.subject), keyId: keyIdOf(publicKeySpki) };
  const issuer = {
    privateKey: draft.privateKey,
    nameDer: subject.name,
    authorityKeyId: authorityKeyIdentifier(subject.keyId),
    algorithm: ALGORITHM[suiteOf(draft.privateKey)],
  };
  return signed({ ...draft, publicKeySpki }, issuer, subject);
}

const VERSION_3 = der(contextTag(0, "constructed"), unsignedInteger(Buffer.of(2)));

function signed(
  draft: X509Draft,
  issuer: X509Issuer,
  subject: { readonly name: Buffer; readonly keyId: Buffer },
): Buffer {
  const extensions = sequence(
    ...draft.extensions,
    subjectKeyIdentifier(subject.keyId),
    issuer.authorityKeyId,
  );
  const body = sequence(
    VERSION_3,
    unsignedInteger(draft.serial ?? randomSerial()),
    issuer.algorithm,
    issuer.nameDer,
    sequence(timeDer(draft.notBefore), timeDer(draft.notAfter)),
    subject.name,
    draft.publicKeySpki,
    der(contextTag(3, "constructed"), extensions),
  );
  return sequence(body, issuer.algorithm, bitString(signDer(issuer.privateKey, body)));
}

/**
 * Positive and always 16 bytes, with 120 random bits, where RFC 5280 asks for uniqueness. UUIDs come
 * from a pool that Node keeps; random bytes would cost a system call, a twentieth of a signature.
 */
function randomSerial(): Buffer {
  const serial = Buffer.from(randomUUID().replaceAll("-", ""), "hex");
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

/** RFC 7093 method 1 over the key without its SPKI wrapping; checks the key on the way. */
function keyIdOf(spki: Uint8Array): Buffer {
  return sha256(publicKeyBytes(spki).raw).subarray(0, 20);
}
