import { timestamp } from "#base/config";
import * as z from "zod";
import { combined, defineKind, type Resource } from "./kind.ts";

const spec = z.strictObject({
  bot_name: z.string().meta({ description: "the bot" }),
  instance_id: z.string().meta({ description: "UUID of this joining of a machine" }),
  previous_instance_id: z
    .string()
    .optional()
    .meta({ description: "what it was before its last recovery" }),
});

const authentication = z.strictObject({
  time: timestamp,
  /** When the certificate ends that was issued; absent in records from before this was kept. */
  expires: timestamp.optional(),
  join_method: z.string(),
  token: z.string(),
  generation: z.int(),
  /** SHA-256 of the certified TLS public key, hex. */
  key_fingerprint: z.string(),
  remote_addr: z.string(),
  recovery: z.boolean(),
  attributes: z.record(z.string(), z.string()).default({}),
});

const heartbeat = z.strictObject({
  time: timestamp,
  version: z.string(),
  hostname: z.string(),
  os: z.string(),
  architecture: z.string(),
  uptime_seconds: z.int(),
  one_shot: z.boolean(),
  kind: z.string(),
  configuration: z.string(),
});

const serviceHealth = z.strictObject({
  name: z.string(),
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  updated_at: timestamp,
});

const status = z.strictObject({
  generation: z.int().meta({
    description: "of the certificate now in use; the next refresh must present exactly this one",
  }),
  initial_authentication: authentication.optional().meta({ description: "the first join" }),
  /** At most `MAX_RECORDS`. */
  latest_authentications: z
    .array(authentication)
    .default([])
    .meta({ description: "the latest joins, newest last" }),
  initial_heartbeat: heartbeat.optional().meta({ description: "the first report" }),
  latest_heartbeats: z
    .array(heartbeat)
    .default([])
    .meta({ description: "the latest reports, newest last" }),
  service_health: z
    .array(serviceHealth)
    .default([])
    .meta({ description: "what its services last reported" }),
  notices: z
    .array(z.string())
    .default([])
    .meta({ description: "what an administrator should know" }),
});

export const MAX_RECORDS = 10;
export type Authentication = z.infer<typeof authentication>;
export type Heartbeat = z.infer<typeof heartbeat>;
export type ServiceHealth = z.infer<typeof serviceHealth>;
export type BotInstance = Resource<"bot_instance", z.infer<typeof spec>, z.infer<typeof status>>;

/** Stored as `<bot>:<instance>`, so that the instances of one bot are one range of names. */
export const botInstanceName = (bot: string, instance: string): string => `${bot}:${instance}`;

/** When the instance was last heard of, RFC 3339; empty for never. */
export function lastActiveAt(instance: BotInstance): string {
  const heard = [
    instance.status?.latest_heartbeats.at(-1)?.time ?? "",
    instance.status?.latest_authentications.at(-1)?.time ?? "",
  ];
  return heard.sort().at(-1)!;
}

/** A bot's own identity lives no longer, unless the cluster's settings say so. */
const LONGEST_IDENTITY_MS = 168 * 3_600_000;

/**
 * When the credentials of the instance end, RFC 3339; of a record from before this was kept, the
 * latest that it can have been. Empty for an instance that never joined.
 */
export function credentialsEnd(instance: BotInstance): string {
  const last = instance.status?.latest_authentications.at(-1);
  if (!last) return "";
  const end = last.expires ?? Date.parse(last.time) + LONGEST_IDENTITY_MS;
  return new Date(end).toISOString();
}

/** Sorts the instances of one bot by the end of their credentials. */
export const credentialsEndKey = (bot: string, end: string): string => `${bot}/${end}`;

/** When it first joined, RFC 3339; empty for never. */
export const firstSeenAt = (instance: BotInstance): string =>
  instance.status?.initial_authentication?.time ?? "";

const worstFirst = ["failed", "unhealthy", "initializing", "healthy"];

/** The worst of what its services last reported; empty when they reported nothing. */
export function healthOf({ status }: BotInstance): string {
  const states = status?.service_health.map((service) => service.status) ?? [];
  return worstFirst.find((state) => states.includes(state)) ?? "";
}

const lastBeat = ({ status }: BotInstance): Heartbeat | undefined =>
  status?.latest_heartbeats.at(-1);
const present = (value: string | undefined): readonly string[] => (value ? [value] : []);

const fields = {
  bot_name: (instance) => [instance.spec.bot_name],
  hostname: (instance) => present(lastBeat(instance)?.hostname),
  version: (instance) => present(lastBeat(instance)?.version),
  os: (instance) => present(lastBeat(instance)?.os),
  join_method: ({ status }) => present(status?.latest_authentications.at(-1)?.join_method),
  health: (instance) => present(healthOf(instance)),
} satisfies Record<string, (instance: BotInstance) => readonly string[]>;

/** Of which it is told how many instances have each value. */
const counted = ["version", "os", "join_method", "health"] as const;

export const botInstanceKind = defineKind<BotInstance>({
  kind: "bot_instance",
  version: "v1",
  aliases: ["bot_instances", "instance", "instances"],
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]*:[0-9a-f-]{36}$/),
  spec,
  status,
  writable: "server",
  fields,
  sorts: ["last_active_at", "first_seen_at"],
  indexes: [
    { name: "bot_name", version: 1, key: fields.bot_name },
    { name: "last_active_at", version: 1, key: (instance) => [lastActiveAt(instance)] },
    {
      name: "credentials_end",
      version: 1,
      key: (instance) => {
        const end = credentialsEnd(instance);
        return end === "" ? [] : [credentialsEndKey(instance.spec.bot_name, end)];
      },
    },
    { name: "first_seen_at", version: 1, key: (instance) => [firstSeenAt(instance)] },
    combined<BotInstance>("bot_name", fields.bot_name, "last_active_at", lastActiveAt),
    ...counted.map((name) => ({ name, version: 1, use: "counted" as const, key: fields[name] })),
  ],
  textVersion: 1,
});
