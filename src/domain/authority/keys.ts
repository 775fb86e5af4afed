import type { KeyObject } from "node:crypto";
import {
  basicConstraints,
  generateKeyPair,
  keyUsage,
  pem,
  privateKeyPem,
  randomToken,
  selfSignX509,
  spkiDer,
  sshPublicKeyLine,
  x509Pem,
  type KeySuite,
} from "#base/crypto";
import type { AuthorityPublicKeys, AuthorityType } from "#domain/resources";
import * as z from "zod";

/** Which keys an authority has (spec section 4), and of which suite. */
type Suites = Readonly<Partial<Record<"x509" | "ssh" | "jwt", KeySuite>>>;

export const authoritySuites: Readonly<Record<AuthorityType, Suites>> = {
  user: { x509: "ecdsa-p256", ssh: "ed25519" },
  host: { x509: "ecdsa-p256", ssh: "ed25519" },
  database: { x509: "ecdsa-p256" },
  "database-client": { x509: "ecdsa-p256" },
  spiffe: { x509: "ecdsa-p256", jwt: "ecdsa-p256" },
  join: { jwt: "ed25519" },
  app: { jwt: "ecdsa-p256" },
};

/** Private keys of one authority as the store kind `ca_key` holds them: PKCS#8, PEM. */
const privateKeys = z.strictObject({
  x509: z.string().exactOptional(),
  ssh: z.string().exactOptional(),
  jwt: z.string().exactOptional(),
});
export type PrivateKeys = z.infer<typeof privateKeys>;

export const parsePrivateKeys = (value: unknown): PrivateKeys => privateKeys.parse(value);

/** Where and when keys are made or used; times in milliseconds. */
export interface Circumstances {
  readonly clusterName: string;
  readonly now: number;
}

/** Certificates start this long in the past, for machines whose clocks are behind (spec section 4). */
export const CLOCK_SKEW_MS = 60_000;

/** Long enough to be rotated by choice and not by need. */
const CA_LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000;

/** An authority certifies no other; the keys of a rotation do not count as another. */
export const AUTHORITY_EXTENSIONS: readonly Buffer[] = [
  basicConstraints({ pathLength: 0 }),
  keyUsage("keyCertSign", "crlSign"),
];

export interface NewKeys {
  readonly publicKeys: AuthorityPublicKeys;
  readonly privateKeys: PrivateKeys;
}

export function generateKeys(type: AuthorityType, about: Circumstances): NewKeys {
  const suites = authoritySuites[type];
  const made = {
    ...(suites.x509 && { x509: generateKeyPair(suites.x509).privateKey }),
    ...(suites.ssh && { ssh: generateKeyPair(suites.ssh).privateKey }),
    ...(suites.jwt && { jwt: generateKeyPair(suites.jwt).privateKey }),
  };
  return {
    publicKeys: {
      key_id: `${type}-${randomToken()}`,
      created_at: new Date(about.now).toISOString(),
      ...(made.x509 && { x509_certificate: x509Pem(certificate(type, made.x509, about)) }),
      ...(made.ssh && { ssh_public_key: sshPublicKeyLine(made.ssh) }),
      ...(made.jwt && { jwt_public_key: publicPem(made.jwt) }),
    },
    privateKeys: Object.fromEntries(
      Object.entries(made).map(([use, key]) => [use, privateKeyPem(key)]),
    ),
  };
}

const publicPem = (key: KeyObject): string => pem("PUBLIC KEY", spkiDer(key));

function certificate(type: AuthorityType, privateKey: KeyObject, about: Circumstances): Buffer {
  return selfSignX509({
    privateKey,
    subject: { commonName: `tenon ${type} authority`, organization: about.clusterName },
    notBefore: about.now - CLOCK_SKEW_MS,
    notAfter: about.now + CA_LIFETIME_MS,
    extensions: AUTHORITY_EXTENSIONS,
  });
}
