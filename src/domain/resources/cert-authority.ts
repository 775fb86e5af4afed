import { duration, timestamp } from "#base/config";
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
  linked_certificate: z.string().optional().meta({
    description:
      "PEM; the X.509 key as certified by the one before it, for who knows only that one",
  }),
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

/** docs/protocols/rotation.md says what each means, and which follows which. */
export const rotationPhases = [
  "standby",
  "init",
  "update_clients",
  "update_servers",
  "rollback",
] as const;

const rotation = z.strictObject({
  mode: z
    .enum(["automatic", "manual"])
    .meta({ description: "whether the next phase begins by itself" }),
  started_at: timestamp.meta({ description: "when `init` began" }),
  phase_since: timestamp.meta({ description: "when the phase of now began" }),
  next_phase_at: timestamp
    .optional()
    .meta({ description: "when the next phase begins; absent in mode `manual`" }),
  grace_period: duration.meta({
    description: "of an automatic rotation, from `init` to `standby`; who was away less comes back",
  }),
  old_key_id: z.string().meta({ description: "signed before the rotation" }),
  new_key_id: z.string().meta({ description: "signs after it" }),
  signer_since: timestamp
    .optional()
    .meta({ description: "when the keys that sign were last exchanged; absent before" }),
});

const retired = z.strictObject({
  keys: publicKeys,
  until: timestamp.meta({ description: "until then they still help who was away" }),
});

const status = z.strictObject({
  phase: z.enum(rotationPhases).meta({ description: "of its rotation" }),
  rotation: rotation.optional().meta({ description: "the one under way; absent in `standby`" }),
  last_rotated_at: timestamp.optional().meta({ description: "when the last rotation ended" }),
  retired: z
    .array(retired)
    .default([])
    .meta({ description: "public halves of keys that no longer sign, newest first" }),
});

export type AuthorityType = (typeof authorityTypes)[number];
export type AuthorityPublicKeys = z.infer<typeof publicKeys>;
export type RotationPhase = (typeof rotationPhases)[number];
export type Rotation = z.infer<typeof rotation>;
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
