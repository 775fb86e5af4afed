import type { KeyObject } from "node:crypto";
import { contextTag, tags } from "./der.ts";
import {
  booleanOf,
  DerReader,
  integerBytes,
  malformed,
  oidOf,
  smallInteger,
  wholeBytes,
} from "./der-reader.ts";
import { suiteOf } from "./keys.ts";
import { sha256Hex } from "./random.ts";
import { SIGNATURE_OIDS, verifyDer } from "./signature.ts";
import { readName, timeOf, type Name } from "./x509-name.ts";
import { readKnownExtensions, type KnownExtensions } from "./x509-parse-extensions.ts";

/** One extension as found. */
export interface X509Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** What a certificate says; nothing of it is verified. */
export interface X509 extends KnownExtensions {
  readonly der: Buffer;
  /** Hex, without the sign byte. */
  readonly serial: string;
  readonly subject: Name;
  readonly issuer: Name;
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER SubjectPublicKeyInfo, of any algorithm. */
  readonly spki: Buffer;
  readonly extensions: ReadonlyMap<string, X509Extension>;
  /** The value of an extension by its OID. */
  extension(oid: string): Buffer | undefined;
  /** The signed part, and what signs it. */
  readonly body: Buffer;
  readonly signatureOid: string;
  readonly signature: Buffer;
}

/** Reads X.509 v3 in DER; `bad_parameter` for anything malformed, trailing or repeated. */
export function parseX509(der: Uint8Array): X509 {
  const outer = DerReader.of(der);
  const reader = outer.enter();
  outer.end();
  const body = reader.next(tags.sequence);
  const algorithm = reader.next(tags.sequence);
  const signature = wholeBytes(reader.next(tags.bitString));
  reader.end();
  const fields = readBody(reader.inside(body), algorithm.raw);
  return {
    der: Buffer.from(der.buffer, der.byteOffset, der.byteLength),
    ...fields,
    ...readKnownExtensions(fields.extensions),
    extension: (oid) => fields.extensions.get(oid)?.value,
    body: body.raw,
    signatureOid: oidOf(reader.inside(algorithm).next(tags.oid)),
    signature,
  };
}

function readBody(reader: DerReader, algorithm: Buffer) {
  const version = reader.enter(contextTag(0, "constructed"));
  if (smallInteger(version.next(tags.integer)) !== 2)
    throw malformed("not an X.509 v3 certificate");
  version.end();
  const serial = readSerial(reader);
  if (!reader.next(tags.sequence).raw.equals(algorithm))
    throw malformed("two different signature algorithms");
  const issuer = reader.next(tags.sequence);
  const validity = reader.enter();
  const notBefore = timeOf(validity.next());
  const notAfter = timeOf(validity.next());
  validity.end();
  const subject = reader.next(tags.sequence);
  const spki = reader.next(tags.sequence).raw;
  const extensions = readExtensions(reader);
  reader.end();
  return {
    serial,
    issuer: readName(reader, issuer),
    issuerDer: issuer.raw,
    subject: readName(reader, subject),
    subjectDer: subject.raw,
    notBefore,
    notAfter,
    spki,
    extensions,
  };
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets. */
function readSerial(reader: DerReader): string {
  const bytes = integerBytes(reader.next(tags.integer));
  if (bytes.length > 20 || bytes[0]! >= 0x80) throw malformed("a serial number out of range");
  return (bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes).toString("hex");
}

function readExtensions(reader: DerReader): Map<string, X509Extension> {
  const found = new Map<string, X509Extension>();
  if (reader.peek() !== contextTag(3, "constructed")) return found;
  const wrapper = reader.enter(contextTag(3, "constructed"));
  const list = wrapper.enter();
  wrapper.end();
  while (!list.done) {
    const item = list.enter();
    const id = oidOf(item.next(tags.oid));
    const flag = item.optional(tags.boolean);
    const value = item.next(tags.octetString).content;
    item.end();
    if (found.has(id)) throw malformed("an extension twice");
    found.set(id, { critical: flag !== undefined && booleanOf(flag), value });
  }
  return found;
}

/** Whether `issuer` signed the certificate. Nothing else is checked: no names, times or purposes. */
export function verifyX509Signature(certificate: Uint8Array | X509, issuer: KeyObject): boolean {
  const { body, signature, signatureOid } =
    certificate instanceof Uint8Array ? parseX509(certificate) : certificate;
  if (signatureOid !== SIGNATURE_OIDS[suiteOf(issuer)]) return false;
  return verifyDer(issuer, body, signature);
}

/**
 * `sha256:<hex>` of the SubjectPublicKeyInfo of a certificate in DER or of a key: a CA pin
 * (RFC 7469 section 2.4 digests the same bytes).
 */
export function spkiPin(source: Uint8Array | KeyObject): string {
  const spki =
    source instanceof Uint8Array
      ? parseX509(source).spki
      : source.export({ type: "spki", format: "der" });
  return `sha256:${sha256Hex(spki)}`;
}
