import { jwkOf, publicKeyBytes, spkiDer, pem } from "#base/crypto";
import { badParameter } from "#base/kernel";
import type { AuthorityPublicKeys, AuthorityType, CertAuthority } from "#domain/resources";
import { authoritySuites } from "./keys.ts";
import { jwtPublicKey, keyIdOf } from "./signers.ts";

/** `tctl auth export`: the public halves of an authority, in the form that other programs read. */
export const exportFormats = ["x509", "ssh", "jwk", "pem"] as const;
export type ExportFormat = (typeof exportFormats)[number];

interface Format {
  /** Which of an authority's keys it shows. */
  readonly use: "x509" | "ssh" | "jwt";
  readonly write: (keys: readonly AuthorityPublicKeys[], authority: CertAuthority) => string;
}

const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  ssh: {
    use: "ssh",
    write: (keys, { spec }) =>
      keys.map((key) => sshLine(spec.type, spec.cluster_name, key.ssh_public_key ?? "")).join(""),
  },
  x509: { use: "x509", write: (keys) => keys.map((key) => key.x509_certificate).join("") },
  jwk: { use: "jwt", write: (keys) => `${JSON.stringify({ keys: keys.map(jwk) }, null, 2)}\n` },
  pem: {
    use: "jwt",
    write: (keys) => keys.map((key) => pem("PUBLIC KEY", spkiDer(jwtPublicKey(key)))).join(""),
  },
};

/**
 * All trusted keys, active first. Without a format the type's own: SSH where it signs SSH, else X.509,
 * else a JWK set. `bad_parameter` for a format that the type has no keys for.
 */
export function exportAuthority(authority: CertAuthority, wanted?: ExportFormat): string {
  const { type } = authority.spec;
  const possible = exportFormatsOf(type);
  const format = wanted ?? possible[0];
  if (!format || !possible.includes(format))
    throw badParameter(
      `the ${type} authority has no "${wanted}" form; use ${possible.join(" or ")}`,
    );
  return FORMATS[format].write(trustedKeys(authority), authority);
}

/** The forms of an authority, its own first. */
function exportFormatsOf(type: AuthorityType): ExportFormat[] {
  const order: readonly ExportFormat[] = ["ssh", "x509", "jwk", "pem"];
  return order.filter((format) => FORMATS[format].use in authoritySuites[type]);
}

/** Every set of keys that verifies what the authority signed, the active one first. */
export const trustedKeys = ({ spec }: CertAuthority): AuthorityPublicKeys[] => [
  spec.active,
  ...spec.additional_trusted,
];

/** The host authority in `known_hosts` form, others as `authorized_keys` has them (sshd(8)). */
function sshLine(type: AuthorityType, clusterName: string, key: string): string {
  if (type === "host") return `@cert-authority ${hostPattern(clusterName)} ${key} ${clusterName}\n`;
  return `cert-authority ${key} ${clusterName}\n`;
}

/** The hosts that a cluster certifies are named below it. */
export const hostPattern = (clusterName: string): string => `*.${clusterName},${clusterName}`;

function jwk(keys: AuthorityPublicKeys): object {
  const key = jwtPublicKey(keys);
  const alg = key.asymmetricKeyType === "ed25519" ? "EdDSA" : "ES256";
  return { ...jwkOf(publicKeyBytes(spkiDer(key))), kid: keyIdOf(key), use: "sig", alg };
}
