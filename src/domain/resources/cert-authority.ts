import { timestamp } from "#base/config";
import * as z from "zod";
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
  key_id: z.string().meta({ description: "name of the private keys" }),
  x509_certificate: z.string().optional().meta({ description: "PEM; for types that issue X.509" }),
  ssh_public_key: z
    .string()
    .optional()
    .meta({ description: "OpenSSH public key line; for types that issue SSH certificates" }),
  jwt_public_key: z
    .string()
    .optional()
    .meta({ description: "PEM SubjectPublicKeyInfo; for types that sign JWTs" }),
  created_at: timestamp.meta({ description: "when the keys were made" }),
});

const spec = z.strictObject({
  type: z.enum(authorityTypes).meta({ description: "what it certifies" }),
  cluster_name: z.string().meta({ description: "whose it is" }),
  active: publicKeys.meta({ description: "signs what is issued now" }),
  additional_trusted: z
    .array(publicKeys)
    .default([])
    .meta({ description: "trusted beside it while a rotation is under way" }),
});

const status = z.strictObject({
  phase: z
    .enum(["standby", "init", "update_clients", "update_servers", "rollback"])
    .meta({ description: "of its rotation" }),
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
