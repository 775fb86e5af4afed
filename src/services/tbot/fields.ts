import type { Reader } from "#base/kernel";
import { duration } from "#base/config";
import { socketPath } from "#base/local";
import * as z from "zod";

/** Fields that several services share, with the words that `--help` and the reference page show. */

const readerText = z
  .string()
  .regex(/^(?:user|group):.+$/, { error: "must be user:NAME or group:NAME" })
  .transform((text): Reader => {
    const [, kind, name = ""] = /^(user|group):(.+)$/.exec(text) ?? [];
    return kind === "user" ? { user: name } : { group: name };
  });

/** A table in YAML, or `user:NAME` in YAML and on the command line. */
const reader = z.union([
  readerText,
  z.strictObject({ user: z.string().min(1) }),
  z.strictObject({ group: z.string().min(1) }),
]);

export const readers = z.array(reader).default([]);

const acls = z.enum(["try", "off", "required"]);

const directory = z.strictObject({
  type: z.literal("directory"),
  path: z.string().min(1).meta({ path: true }),
  symlinks: z.enum(["try-secure", "secure", "insecure"]).default("try-secure"),
  acls: acls.default("try"),
  readers,
});

const memory = z.strictObject({ type: z.literal("memory") });

const destinationUri = z.string().regex(/^(?:file:\/\/\/.*|memory:\/\/|(?![a-z]+:\/\/).+)$/, {
  error: "must be a path, a file:///path address or memory://",
});

export type DestinationConfiguration = z.infer<typeof directory> | z.infer<typeof memory>;

/** A table in YAML, or a path or address in YAML and on the command line; either becomes the table. */
export const destination = z
  .union([destinationUri, z.discriminatedUnion("type", [directory, memory])])
  .transform(completeDestination);

function completeDestination(value: string | DestinationConfiguration): DestinationConfiguration {
  if (typeof value !== "string") return value;
  if (value === "memory://") return { type: "memory" };
  const path = value.startsWith("file://") ? decodeURIComponent(new URL(value).pathname) : value;
  return directory.parse({ type: "directory", path });
}

/** It stands in every heartbeat, log line and metric of the service. */
const MAX_NAME = 64;

export const serviceName = z
  .string()
  .max(MAX_NAME)
  .regex(/^[A-Za-z0-9_+-]+$/, { error: "must hold only letters, digits and - _ +" })
  .meta({
    description: "name of this service in readiness and logs; default: its type and a number",
  });

/** What every service has beside its own fields. */
export const commonFields = {
  name: serviceName.optional(),
  credential_ttl: duration.optional().meta({
    flag: false,
    description: "lifetime of the credentials; default: the bot's credential_ttl",
  }),
  renewal_interval: duration
    .optional()
    .meta({ flag: false, description: "how often to renew; default: the bot's renewal_interval" }),
};

export const roles = z
  .array(z.string().min(1))
  .default([])
  .meta({ description: "roles to ask for; default: all that the bot has" });

export const appName = z
  .string()
  .min(1)
  .meta({
    subject: true,
    description: "name of the application",
    resource: "app",
    aliases: ["app"],
  });

/** `tcp://host:port` or `unix:///path`. */
export const listen = z
  .string()
  .regex(/^(?:tcp:\/\/.+:\d{1,5}|unix:\/\/.+)$/, {
    error: "must be tcp://host:port or unix:///path",
  })
  .refine((address) => !address.startsWith("tcp:") || Number(/\d+$/.exec(address)?.[0]) <= 65_535, {
    error: "must have a port of at most 65535",
  })
  .meta({
    path: true,
    description: "where to listen: tcp://127.0.0.1:8080 or unix:///run/app.sock",
  });

/** Who may use a local API beside the owner of its socket, and how strictly that is set. */
export const socketAccess = {
  readers: readers.meta({
    placeholder: "user:a,group:b,…",
    description: "users and groups that may use the socket beside the bot's own user",
  }),
  acls: acls.default("required").meta({
    description:
      "whether a reader that cannot be granted access is a failure (required) or a warning (try)",
  }),
};

/** A path, `unix:///path` or `file:///path`; becomes an absolute path. */
export const socket = z
  .string()
  .regex(/^(?:(?:unix|file):\/\/\/.+|(?![a-z]+:).+)$/, {
    error: "must be a path, unix:///path or file:///path",
  })
  .transform(socketPath)
  .meta({
    path: true,
    description: "the socket: a path, in a directory that only its owner can enter",
  });

export const sshConfig = z
  .enum(["on", "off"])
  .default("on")
  .meta({ description: "write ssh_config and known_hosts" });

export const specificTlsExtensions = z.boolean().default(false).meta({
  description: "write tls.crt, tls.key and tls.cas as well, for programs that want these names",
});
