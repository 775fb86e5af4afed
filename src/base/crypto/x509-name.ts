import { der, oid, sequence, tags } from "./der.ts";
import { malformed, oidOf, type DerElement, type DerReader } from "./der-reader.ts";
import { sha256Hex } from "./random.ts";

/** The attributes of a distinguished name that Tenon writes; it reads no others. */
export interface Name {
  readonly commonName?: string;
  readonly organization?: string;
}

const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";
const COMMON_NAME_OID = oid(COMMON_NAME);
const ORGANIZATION_OID = oid(ORGANIZATION);

/** ub-common-name and ub-organization-name (RFC 5280, appendix A). */
const MAX_ATTRIBUTE = 64;

export function nameDer(name: Name): Buffer {
  const parts: Buffer[] = [];
  if (name.organization) parts.push(attribute(ORGANIZATION_OID, name.organization));
  if (name.commonName) parts.push(attribute(COMMON_NAME_OID, name.commonName));
  return sequence(...parts);
}

function attribute(type: Buffer, value: string): Buffer {
  return der(tags.set, sequence(type, der(tags.utf8String, Buffer.from(shortened(value)))));
}

/** What is too long keeps its beginning and gets a digest, so that two names never become one. */
function shortened(value: string): string {
  const characters = Array.from(value);
  if (characters.length <= MAX_ATTRIBUTE) return value;
  return `${characters.slice(0, MAX_ATTRIBUTE - 17).join("")}~${sha256Hex(value).slice(0, 16)}`;
}

const TEXT_TAGS: ReadonlySet<number> = new Set([
  tags.utf8String,
  tags.printableString,
  tags.ia5String,
]);

export function readName(outer: DerReader, element: DerElement): Name {
  let name: Name = {};
  const sets = outer.inside(element);
  while (!sets.done) {
    const set = sets.enter(tags.set);
    do name = { ...readAttribute(set.enter()), ...name };
    while (!set.done);
  }
  return name;
}

function readAttribute(reader: DerReader): Name {
  const type = oidOf(reader.next(tags.oid));
  const value = reader.next();
  reader.end();
  if (!TEXT_TAGS.has(value.tag)) return {};
  const text = value.content.toString("utf8");
  if (type === COMMON_NAME) return { commonName: text };
  return type === ORGANIZATION ? { organization: text } : {};
}

/**
 * RFC 5280 section 4.1.2.5: two-digit years from 1950 to 2049, four-digit ones otherwise; what is
 * below a second is cut off. Written digit by digit, because formatting takes nine times as long.
 */
export function timeDer(ms: number): Buffer {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  const short = year >= 1950 && year < 2050;
  return der(short ? tags.utcTime : tags.generalizedTime, timeDigits(date, short), ZULU_BYTE);
}

/** With two digits for the year, or four. */
function timeDigits(date: Date, short: boolean): Buffer {
  const year = date.getUTCFullYear();
  const digits = Buffer.allocUnsafe(short ? 12 : 14);
  let end = 0;
  const put = (value: number): void => {
    digits[end++] = ZERO + Math.floor(value / 10);
    digits[end++] = ZERO + (value % 10);
  };
  if (!short) put(Math.floor(year / 100));
  put(year % 100);
  put(date.getUTCMonth() + 1);
  put(date.getUTCDate());
  put(date.getUTCHours());
  put(date.getUTCMinutes());
  put(date.getUTCSeconds());
  return digits;
}

const ZERO = 0x30;
const ZULU = 0x5a;
const ZULU_BYTE = Buffer.of(ZULU);

/** Milliseconds since the epoch of a UTCTime or GeneralizedTime in the one form DER allows. */
export function timeOf({ tag, content }: DerElement): number {
  const short = tag === tags.utcTime;
  const known = short || tag === tags.generalizedTime;
  const digits = content.subarray(0, -1);
  if (
    !known ||
    digits.length !== (short ? 12 : 14) ||
    content.at(-1) !== ZULU ||
    !areDigits(digits)
  )
    throw malformed("a time in another form");
  const pair = (at: number): number => (digits.at(at)! - ZERO) * 10 + (digits.at(at + 1)! - ZERO);
  const century = short ? (pair(0) < 50 ? 20 : 19) : pair(0);
  const date = new Date(0);
  date.setUTCFullYear(century * 100 + pair(-12), pair(-10) - 1, pair(-8));
  date.setUTCHours(pair(-6), pair(-4), pair(-2));
  if (!timeDigits(date, short).equals(digits)) throw malformed("an impossible time");
  return date.getTime();
}

const areDigits = (bytes: Buffer): boolean =>
  bytes.every((byte) => byte >= ZERO && byte <= ZERO + 9);
