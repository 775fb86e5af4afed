import { badParameter, limitExceeded } from "#base/kernel";
import type { HostIdentity, UserIdentity } from "#domain/access";
import { systemRoles, traits } from "#domain/resources";
import * as z from "zod";

/**
 * What a certificate says beyond X.509, as JSON in one private extension: one for users, one for
 * hosts. The end of validity is the certificate's own.
 */

/**
 * Our OIDs come from a UUID, split over small arcs under the branch that Microsoft keeps for that.
 * The standard branch for UUIDs, 2.25, has one arc of 128 bits, and then Go programs could not load
 * our certificates at all (golang/go#30757).
 */
const BRANCH = "1.2.840.113556.1.8000.2554.33700.38705.6613.16481.35020.14549479.206983";
export const identityOids = { user: `${BRANCH}.1`, host: `${BRANCH}.2` } as const;

/** Certificates travel in every TLS handshake, and OpenSSL reads at most 100 KB of them. */
const MAX_IDENTITY_BYTES = 32 * 1024;

const name = z.string().min(1).max(512);
const names = z.array(name);

const user = z.strictObject({
  user: name,
  roles: names,
  traits,
  logins: names,
  botName: name.exactOptional(),
  botInstanceId: name.exactOptional(),
  generation: z.int().min(0).exactOptional(),
  joinToken: name.exactOptional(),
  boundKeyFingerprint: name.exactOptional(),
  appName: name.exactOptional(),
  database: z
    .strictObject({
      service: name,
      database: name.exactOptional(),
      username: name.exactOptional(),
    })
    .exactOptional(),
  kubernetesCluster: name.exactOptional(),
  allowReissue: z.boolean(),
});

const host = z.strictObject({
  hostId: name,
  roles: z.array(z.enum(systemRoles)),
  joinToken: name.exactOptional(),
  instanceId: name.exactOptional(),
  generation: z.int().min(0).exactOptional(),
  boundKeyFingerprint: name.exactOptional(),
});

export type UserClaims = Omit<UserIdentity, "expires">;
export type HostClaims = Omit<HostIdentity, "expires">;

const schemas = {
  user: user satisfies z.ZodType<UserClaims>,
  host: host satisfies z.ZodType<HostClaims>,
};

export const encodeUser = (claims: UserClaims): Buffer => encode(user, claims);
export const encodeHost = (claims: HostClaims): Buffer => encode(host, claims);

/** Refuses what `decode` would refuse, so that no unreadable certificate is ever signed. */
function encode<T>(schema: z.ZodType<T>, claims: T): Buffer {
  const parsed = schema.safeParse(claims);
  if (!parsed.success)
    throw badParameter(`the identity cannot be certified: ${z.prettifyError(parsed.error)}`);
  const bytes = Buffer.from(JSON.stringify(parsed.data));
  if (bytes.length > MAX_IDENTITY_BYTES)
    throw limitExceeded(
      `the identity takes ${bytes.length} bytes and a certificate holds ${MAX_IDENTITY_BYTES}; give it fewer roles or traits`,
    );
  return bytes;
}

/** Strict: unknown fields, other types and broken UTF-8 are `bad_parameter`. */
export const decodeUser = (bytes: Uint8Array): UserClaims => decode(schemas.user, bytes);
export const decodeHost = (bytes: Uint8Array): HostClaims => decode(schemas.host, bytes);

function decode<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  if (bytes.length > MAX_IDENTITY_BYTES) throw badParameter("the identity is too long");
  const parsed = schema.safeParse(readJson(bytes));
  if (!parsed.success) throw badParameter("the identity has missing, unknown or wrong fields");
  return parsed.data;
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw badParameter("the identity is not JSON");
  }
}
