import { randomUUID, type KeyObject } from "node:crypto";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { TrustBundleSchema, type Result } from "@tenon/api/tenon/join/v1/join";
import {
  generateKeyPair,
  parseX509,
  privateKeyFromPem,
  privateKeyPem,
  spkiDer,
} from "#base/crypto";
import { badParameter } from "#base/kernel";
import { recoveriesLeft, trustFromProto, type Trust } from "#domain/authority";
import * as z from "zod";

/** One attempt, written before anything of it is sent, and repeated until it has its answer. */
const pending = z.strictObject({
  attempt_id: z.uuid(),
  token: z.string(),
  /** PKCS#8 PEM of the keys to be certified. */
  tls_private_key: z.string(),
  ssh_private_key: z.string(),
  /** The successor of the bound key that this attempt proposed. */
  next_key_id: z.string().optional(),
  /** The attempt asks for a rotation by itself. */
  rotate: z.boolean().optional(),
});

/** What the last successful join gave. */
const joined = z.strictObject({
  token: z.string(),
  tls_private_key: z.string(),
  /** DER, base64. */
  tls_certificate: z.string(),
  ssh_private_key: z.string(),
  ssh_certificate: z.string(),
  /** A TrustBundle as protobuf's JSON. */
  trust: z.json(),
  /** The JWT to present at the next join; empty for methods without. */
  join_state: z.string(),
});

const joinState = z.strictObject({
  version: z.literal(1),
  /** Ids of bound keys, the one in use first; the older ones serve a cluster restored from a backup. */
  bound_keys: z.array(z.string()).default([]),
  joined: joined.optional(),
  pending: pending.optional(),
  /** `sha256:…` of host authorities that the cluster has left: no longer to be pinned. */
  left_pins: z.array(z.string()).exactOptional(),
});

/** All that a machine keeps between joins; private keys are in it. */
export type JoinState = z.infer<typeof joinState>;
export type PendingAttempt = z.infer<typeof pending>;

/** On the disk before anything is sent. */
export type Prepared = JoinState & { readonly pending: PendingAttempt };

/** Where a machine keeps it. */
export interface JoinStorage {
  /** `undefined` before the first save. */
  load(): Promise<JoinState | undefined>;
  /** Resolves once it would survive a loss of power: the server is told so. */
  save(state: JoinState): Promise<void>;
}

/** A storage that ends with the process. */
export class MemoryJoinStorage implements JoinStorage {
  #text: string | undefined;

  async load(): Promise<JoinState | undefined> {
    return this.#text === undefined ? undefined : decodeJoinState(this.#text);
  }

  async save(state: JoinState): Promise<void> {
    this.#text = encodeJoinState(state);
  }
}

export const encodeJoinState = (state: JoinState): string => `${JSON.stringify(state, null, 2)}\n`;

/** Throws `bad_parameter` for text that is damaged; never quotes it. */
export function decodeJoinState(text: string): JoinState {
  const parsed = joinState.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join(".");
  throw badParameter(
    `the stored join state is damaged${where ? ` at "${where}"` : ""}; restore the storage, or empty it and have an administrator reset the token`,
  );
}

export const emptyJoinState = (): JoinState => ({ version: 1, bound_keys: [] });

export function newAttempt(token: string): PendingAttempt {
  return {
    attempt_id: randomUUID(),
    token,
    tls_private_key: privateKeyPem(generateKeyPair("ecdsa-p256").privateKey),
    ssh_private_key: privateKeyPem(generateKeyPair("ed25519").privateKey),
  };
}

/** A machine's credentials, ready for use. */
export interface JoinedIdentity {
  readonly tlsPrivateKey: KeyObject;
  /** DER. */
  readonly tlsCertificate: Buffer;
  readonly sshPrivateKey: KeyObject;
  /** OpenSSH certificate line; empty for agents without SSH. */
  readonly sshCertificate: string;
  readonly trust: Trust;
  /** End of the X.509 certificate, milliseconds since the epoch. */
  readonly expires: number;
  /** How often the token still lets a machine come back; absent where nobody counts. */
  readonly recoveriesLeft?: number;
}

export function identityOf(joined: NonNullable<JoinState["joined"]>): JoinedIdentity {
  const tlsCertificate = Buffer.from(joined.tls_certificate, "base64");
  const left = recoveriesLeft(joined.join_state);
  return {
    tlsPrivateKey: privateKeyFromPem(joined.tls_private_key),
    tlsCertificate,
    sshPrivateKey: privateKeyFromPem(joined.ssh_private_key),
    sshCertificate: joined.ssh_certificate,
    trust: trustFromProto(fromJson(TrustBundleSchema, joined.trust)),
    expires: parseX509(tlsCertificate).notAfter,
    ...(left === undefined ? {} : { recoveriesLeft: left }),
  };
}

/** Takes a Result in, if it certifies the keys that this attempt asked for. */
export function joinedBy(
  attempt: PendingAttempt,
  result: Result,
): NonNullable<JoinState["joined"]> {
  const { credentials } = result;
  if (!credentials?.trust) throw badParameter("the server's result holds no credentials");
  const ours = spkiDer(privateKeyFromPem(attempt.tls_private_key));
  if (!parseX509(credentials.tlsCertificate).spki.equals(ours))
    throw badParameter("the server certified another key than the one asked for; not kept");
  return {
    token: attempt.token,
    tls_private_key: attempt.tls_private_key,
    tls_certificate: Buffer.from(credentials.tlsCertificate).toString("base64"),
    ssh_private_key: attempt.ssh_private_key,
    ssh_certificate: credentials.sshCertificate,
    trust: toJson(TrustBundleSchema, credentials.trust),
    join_state: result.joinState,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
