import { isIPv6 } from "node:net";
import { contextTag, tags } from "./der.ts";
import {
  booleanOf,
  DerReader,
  malformed,
  oidOf,
  readSingle,
  smallInteger,
  type DerElement,
} from "./der-reader.ts";
import {
  canonicalIpv6,
  extensionOids,
  generalNames,
  keyUsages,
  type KeyUsage,
} from "./x509-extensions.ts";

/** The extensions that Tenon understands, read; absent ones are empty. */
export interface KnownExtensions {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  /** OIDs. */
  readonly extendedKeyUsages: readonly string[];
  readonly keyUsages: readonly KeyUsage[];
  readonly isCa: boolean;
  readonly subjectKeyId: Buffer | undefined;
  readonly authorityKeyId: Buffer | undefined;
}

type Values = ReadonlyMap<string, { readonly value: Buffer }>;

export function readKnownExtensions(extensions: Values): KnownExtensions {
  const value = (name: keyof typeof extensionOids) => extensions.get(extensionOids[name])?.value;
  return {
    ...readAltNames(value("subjectAltName")),
    extendedKeyUsages: readPurposes(value("extendedKeyUsage")),
    keyUsages: readUsages(value("keyUsage")),
    isCa: readConstraints(value("basicConstraints")),
    subjectKeyId: readKeyId(value("subjectKeyIdentifier")),
    authorityKeyId: readIssuerKeyId(value("authorityKeyIdentifier")),
  };
}

/** The elements of an extension that is one SEQUENCE. */
function elements(value: Buffer): DerElement[] {
  const outer = DerReader.of(value);
  const reader = outer.enter();
  outer.end();
  const found: DerElement[] = [];
  while (!reader.done) found.push(reader.next());
  return found;
}

type AltNames = Pick<KnownExtensions, "dnsNames" | "ipAddresses" | "uris">;

function readAltNames(value: Buffer | undefined): AltNames {
  const all = value ? elements(value) : [];
  const of = (number: number): Buffer[] =>
    all.filter(({ tag }) => tag === contextTag(number, "primitive")).map(({ content }) => content);
  return {
    dnsNames: of(generalNames.dns).map(ia5),
    ipAddresses: of(generalNames.ip).map(ipText),
    uris: of(generalNames.uri).map(ia5),
  };
}

function ia5(content: Buffer): string {
  const text = content.toString("latin1");
  if (!/^[\u0021-\u007e]*$/.test(text)) throw malformed("a name with forbidden characters");
  return text;
}

function ipText(content: Buffer): string {
  if (content.length === 4) return content.join(".");
  const groups = content.toString("hex").match(/.{4}/g) ?? [];
  const address = groups.join(":");
  if (content.length !== 16 || !isIPv6(address)) throw malformed("an IP address of another length");
  return canonicalIpv6(address);
}

function readPurposes(value: Buffer | undefined): string[] {
  return (value ? elements(value) : []).map((element) => {
    if (element.tag !== tags.oid) throw malformed("a purpose that is not an identifier");
    return oidOf(element);
  });
}

function readUsages(value: Buffer | undefined): KeyUsage[] {
  if (!value) return [];
  const { content } = readSingle(value, tags.bitString);
  const [unused = 8, bits = 0] = content;
  if (unused > 7 || content.length < 2) throw malformed("a key usage without bits");
  return (Object.keys(keyUsages) as KeyUsage[]).filter(
    (usage) => (bits & (0x80 >> keyUsages[usage])) !== 0,
  );
}

function readConstraints(value: Buffer | undefined): boolean {
  if (!value) return false;
  const outer = DerReader.of(value);
  const reader = outer.enter();
  outer.end();
  const flag = reader.optional(tags.boolean);
  const depth = reader.optional(tags.integer);
  if (depth) smallInteger(depth);
  reader.end();
  return flag !== undefined && booleanOf(flag);
}

function readKeyId(value: Buffer | undefined): Buffer | undefined {
  return value && readSingle(value, tags.octetString).content;
}

function readIssuerKeyId(value: Buffer | undefined): Buffer | undefined {
  if (!value) return undefined;
  return elements(value).find(({ tag }) => tag === contextTag(0, "primitive"))?.content;
}
