import { timestamp } from "#base/config";
import { createHash } from "node:crypto";
import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";

export const lockTargets = [
  "user",
  "role",
  "login",
  "mfa_device",
  "server_id",
  "bot_instance_id",
  "join_token",
  "public_key",
] as const;

const target = z
  .strictObject(
    Object.fromEntries(lockTargets.map((name) => [name, z.string().min(1).optional()])) as Record<
      LockTarget,
      z.ZodOptional<z.ZodString>
    >,
  )
  .refine((value) => Object.values(value).filter(Boolean).length === 1, {
    error: `must name exactly one of ${lockTargets.join(", ")}`,
  });

const spec = z.strictObject({
  target: target.meta({ description: "exactly one of its fields: what is cut off" }),
  message: z
    .string()
    .max(1024)
    .default("")
    .meta({ description: "the reason, shown to the locked" }),
  expires: timestamp
    .optional()
    .meta({ description: "end of the lock; without it, it holds until it is removed" }),
  created_at: timestamp.optional().meta({ description: "set by the server" }),
  created_by: z.string().optional().meta({ description: "set by the server" }),
});

export type LockTarget = (typeof lockTargets)[number];
export type Lock = Resource<"lock", z.infer<typeof spec>>;

/**
 * `user:alice`: the key under which locks of one target are indexed. A public key is known by its
 * fingerprint, `public_key:SHA256:…`, whether the lock names that or the OpenSSH line.
 */
export function lockTargetKey(lock: Lock): string {
  const [name, value] = Object.entries(lock.spec.target).find(([, value]) => value)!;
  return `${name}:${name === "public_key" ? fingerprintOf(value!) : value}`;
}

function fingerprintOf(keyOrFingerprint: string): string {
  const blob = /^[a-z0-9@.-]+ ([A-Za-z0-9+/]+=*)(?: |$)/.exec(keyOrFingerprint)?.[1];
  if (!blob) return keyOrFingerprint;
  const hash = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `SHA256:${hash.replaceAll("=", "")}`;
}

/** On every lock that joining made: which token to reset to be rid of it. */
export const JOIN_TOKEN_LABEL = "tenon.internal/join-token";

export const lockKind = defineKind<Lock>({
  kind: "lock",
  version: "v2",
  aliases: ["locks"],
  spec,
  fields: { target: (lock) => [lockTargetKey(lock)] },
  indexes: [
    { name: "target", version: 1, key: (lock) => [lockTargetKey(lock)] },
    {
      name: "join_token",
      version: 1,
      key: ({ metadata: { labels } }) => {
        const token = labels[JOIN_TOKEN_LABEL];
        return token === undefined ? [] : [token];
      },
    },
  ],
});
