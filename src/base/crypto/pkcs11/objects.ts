import { randomBytes, type KeyObject } from "node:crypto";
import { badParameter } from "#base/kernel";
import { handleOf, type KeyHandle } from "../key-store.ts";
import { publicKeyFromSpki } from "../keys.ts";
import { spkiOf, type KeySuite } from "../public-key.ts";
import { attributes, objectClasses } from "./cryptoki.ts";
import { CURVES, SUITES, type Curve } from "./curves.ts";
import type { Template } from "./memory.ts";
import type { ObjectHandle, Pkcs11Session } from "./session.ts";

/** One key of a token: two objects of the same CKA_ID. */
export interface Entry {
  readonly handle: KeyHandle;
  readonly suite: KeySuite;
  /** CKA_ID of both halves. */
  readonly id: Buffer;
  readonly privateKey: ObjectHandle;
  readonly publicKey: ObjectHandle;
}

/** The keys of a label, oldest first; `where` follows the name of a key in errors. */
export async function readEntries(
  session: Pkcs11Session,
  keyLabel: string,
  where: string,
): Promise<readonly Entry[]> {
  const list: Entry[] = [];
  for (const suite of SUITES)
    for (const privateKey of await session.find([
      [attributes.class, objectClasses.privateKey],
      [attributes.keyType, CURVES[suite].keyType],
      [attributes.label, Buffer.from(keyLabel)],
    ])) {
      const entry = await readEntry(session, suite, { privateKey, where });
      if (entry) list.push(entry);
    }
  return list.sort((a, b) => numberOf(a.id) - numberOf(b.id));
}

/** `undefined` for a key on another curve. */
async function readEntry(
  session: Pkcs11Session,
  suite: KeySuite,
  { privateKey, where }: { readonly privateKey: ObjectHandle; readonly where: string },
): Promise<Entry | undefined> {
  const id = (await session.attribute(privateKey, attributes.id)) ?? Buffer.alloc(0);
  const [publicKey] = await session.find([
    [attributes.class, objectClasses.publicKey],
    [attributes.keyType, CURVES[suite].keyType],
    [attributes.id, id],
  ]);
  if (publicKey === undefined)
    throw badParameter(`key "${id.toString("hex")}" ${where} has no public key object beside it`);
  const key = await publicKeyOf(session, suite, publicKey);
  return key && { handle: handleOf(key), suite, id, privateKey, publicKey };
}

async function publicKeyOf(
  session: Pkcs11Session,
  suite: KeySuite,
  object: ObjectHandle,
): Promise<KeyObject | undefined> {
  const { params, pointBytes } = CURVES[suite];
  const curve = await session.attribute(object, attributes.ecParams);
  const point = await session.attribute(object, attributes.ecPoint);
  if (!point || !curve || !params.includes(curve.toString("hex"))) return undefined;
  // Some modules give the bare point, others the OCTET STRING that the standard asks for.
  const raw = point.length === pointBytes ? point : point.subarray(2);
  return publicKeyFromSpki(spkiOf({ suite, raw }));
}

/** CKA_IDs grow, so that the newest key is the last; keys that others made come before ours. */
const ID_PREFIX = Buffer.from("tenon");
const NUMBER_BYTES = 4;
const RANDOM_BYTES = 4;

export function nextId(entries: readonly Entry[]): Buffer {
  const number = Buffer.alloc(NUMBER_BYTES);
  number.writeUInt32BE(Math.max(0, ...entries.map(({ id }) => numberOf(id))) + 1);
  return Buffer.concat([ID_PREFIX, number, randomBytes(RANDOM_BYTES)]);
}

function numberOf(id: Buffer): number {
  const ours =
    id.length === ID_PREFIX.length + NUMBER_BYTES + RANDOM_BYTES &&
    id.subarray(0, ID_PREFIX.length).equals(ID_PREFIX);
  return ours ? id.readUInt32BE(ID_PREFIX.length) : 0;
}

export function templates(
  { params, keyType }: Curve,
  keyLabel: string,
  id: Buffer,
): { publicKey: Template; privateKey: Template } {
  const common = [
    [attributes.token, true],
    [attributes.keyType, keyType],
    [attributes.label, Buffer.from(keyLabel)],
    [attributes.id, id],
  ] as const;
  return {
    publicKey: [
      ...common,
      [attributes.private, false],
      [attributes.verify, true],
      [attributes.ecParams, Buffer.from(params[0]!, "hex")],
    ],
    privateKey: [
      ...common,
      [attributes.private, true],
      [attributes.sensitive, true],
      [attributes.extractable, false],
      [attributes.sign, true],
    ],
  };
}
