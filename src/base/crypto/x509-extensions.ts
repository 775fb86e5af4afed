import { isIPv4, isIPv6 } from "node:net";
import { badParameter } from "#base/kernel";
import { contextTag, der, oid, sequence, tags, unsignedInteger } from "./der.ts";

/** Writers of certificate extensions (RFC 5280 section 4.2), each a whole `Extension` element. */

export const extensionOids = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

const OIDS = Object.fromEntries(
  Object.entries(extensionOids).map(([name, dotted]) => [name, oid(dotted)]),
) as Readonly<Record<keyof typeof extensionOids, Buffer>>;

const CRITICAL = der(tags.boolean, Buffer.of(0xff));
const TRUE = CRITICAL;

function extension(id: Buffer, value: Uint8Array, importance: "critical" | "optional"): Buffer {
  const wrapped = der(tags.octetString, value);
  return importance === "critical" ? sequence(id, CRITICAL, wrapped) : sequence(id, wrapped);
}

/** Writes extensions of our own: any bytes under an OID; readers that do not know it ignore it. */
export function privateExtension(dotted: string): (value: Uint8Array) => Buffer {
  const id = oid(dotted);
  return (value) => extension(id, value, "optional");
}

/** For an end entity nothing is said but its absence of power; a CA may limit its depth. */
export function basicConstraints(role: { readonly pathLength: number } | "end-entity"): Buffer {
  const value =
    role === "end-entity"
      ? sequence()
      : sequence(TRUE, unsignedInteger(Buffer.of(role.pathLength)));
  return extension(OIDS.basicConstraints, value, "critical");
}

/** Bit numbers of section 4.2.1.3. */
export const keyUsages = { digitalSignature: 0, keyCertSign: 5, crlSign: 6 } as const;
export type KeyUsage = keyof typeof keyUsages;

export function keyUsage(...usages: readonly KeyUsage[]): Buffer {
  const bits = usages.reduce((byte, usage) => byte | (0x80 >> keyUsages[usage]), 0);
  const unused = Math.clz32(bits & -bits) === 32 ? 0 : 31 - Math.clz32(bits & -bits);
  return extension(OIDS.keyUsage, der(tags.bitString, Buffer.of(unused, bits)), "critical");
}

/** Section 4.2.1.12. */
export const extendedKeyUsages = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;
export type ExtendedKeyUsage = keyof typeof extendedKeyUsages;

export function extendedKeyUsage(...usages: readonly ExtendedKeyUsage[]): Buffer {
  const ids = usages.map((usage) => oid(extendedKeyUsages[usage]));
  return extension(OIDS.extendedKeyUsage, sequence(...ids), "optional");
}

export interface AltNames {
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
}

/** Tags of GeneralName, section 4.2.1.6. */
export const generalNames = { dns: 2, uri: 6, ip: 7 } as const;

/** Letters, digits, hyphens and dots, with a leading wildcard label at most (RFC 1034, RFC 6125). */
const DNS_NAME = /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*$/;
const MAX_DNS_NAME = 253;
const URI = /^[a-z][a-z0-9+.-]*:[\u0021-\u007e]+$/i;

export function subjectAltName(names: AltNames): Buffer {
  const value = sequence(
    ...(names.dnsNames ?? []).map((name) => general(generalNames.dns, dnsBytes(name))),
    ...(names.uris ?? []).map((uri) => general(generalNames.uri, uriBytes(uri))),
    ...(names.ipAddresses ?? []).map((address) => general(generalNames.ip, ipBytes(address))),
  );
  return extension(OIDS.subjectAltName, value, "optional");
}

const general = (number: number, value: Buffer): Buffer =>
  der(contextTag(number, "primitive"), value);

function dnsBytes(name: string): Buffer {
  if (name.length > MAX_DNS_NAME || !DNS_NAME.test(name))
    throw badParameter(`"${name}" is not a DNS name`);
  return Buffer.from(name, "latin1");
}

function uriBytes(uri: string): Buffer {
  if (!URI.test(uri)) throw badParameter(`"${uri}" is not a URI`);
  return Buffer.from(uri, "latin1");
}

/** 4 or 16 bytes in network order. */
function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (!isIPv6(address) || address.includes("%"))
    throw badParameter(`"${address}" is not an IP address`);
  const [head = "", tail] = canonicalIpv6(address).split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255]));
}

/** `URL` gives RFC 5952 form, with an embedded IPv4 address turned into groups. */
export const canonicalIpv6 = (address: string): string =>
  new URL(`http://[${address}]`).hostname.slice(1, -1);

const groups = (text: string): number[] =>
  text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));

/** Section 4.2.1.2 with the digest of RFC 7093: the first 160 bits of SHA-256 over the key. */
export const subjectKeyIdentifier = (keyId: Uint8Array): Buffer =>
  extension(OIDS.subjectKeyIdentifier, der(tags.octetString, keyId), "optional");

export const authorityKeyIdentifier = (keyId: Uint8Array): Buffer =>
  extension(
    OIDS.authorityKeyIdentifier,
    sequence(der(contextTag(0, "primitive"), keyId)),
    "optional",
  );
