import { timestamp } from "#base/config";
import { z } from "zod";
import { defineKind, type Resource } from "./kind.ts";

/** Section 4 of the specification: each type has its own keys. */
export const authorityTypes = [
  "user",
  "host",
  "database",
  "database-client",
  "spiffe",
  "join",
  "app",
] as const;

const publicKeys = z.strictObject({
  /** Names the private keys in the store kind `ca_key`, which no RPC reaches. */
  key_id: z.string(),
  /** PEM; for types that issue X.509. */
  x509_certificate: z.string().optional(),
  /** OpenSSH public key line; for types that issue SSH certificates. */
  ssh_public_key: z.string().optional(),
  /** PEM SubjectPublicKeyInfo; for types that sign JWTs. */
  jwt_public_key: z.string().optional(),
  created_at: timestamp,
});

const spec = z.strictObject({
  type: z.enum(authorityTypes),
  cluster_name: z.string(),
  /** Signs what is issued now. */
  active: publicKeys,
  /** Trusted beside it while a rotation is under way. */
  additional_trusted: z.array(publicKeys).default([]),
});

const status = z.strictObject({
  phase: z.enum(["standby", "init", "update_clients", "update_servers", "rollback"]),
});

export type AuthorityType = (typeof authorityTypes)[number];
export type AuthorityPublicKeys = z.infer<typeof publicKeys>;
export type CertAuthority = Resource<
  "cert_authority",
  z.infer<typeof spec>,
  z.infer<typeof status>
>;

export const certAuthorityKind = defineKind<CertAuthority>({
  kind: "cert_authority",
  version: "v1",
  aliases: ["cert_authorities", "ca", "cas"],
  spec,
  status,
  writable: "server",
});
