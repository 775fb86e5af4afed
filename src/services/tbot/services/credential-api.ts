import { duration, durationMs } from "#base/config";
import * as z from "zod";
import { credentialApi } from "../credential-api/service.ts";
import { roles, serviceName, socket, socketAccess } from "../fields.ts";
import { defineServiceType } from "../service-type.ts";

/** Spec section 1: outputs live at most a day. */
const MAX_TTL_MS = 24 * 3_600_000;

/** As an entry of `sockets:` says it. */
export const credentialSocketFields = {
  name: serviceName.optional(),
  path: socket,
  roles: roles.meta({
    description: "the most that callers may ask for, and what they get; default: all of the bot's",
  }),
  max_ttl: duration
    .default("1h")
    .refine((text) => durationMs(text) >= 1_000 && durationMs(text) <= MAX_TTL_MS, {
      error: "must be between 1s and 24h",
    })
    .meta({ description: "the longest life that callers may ask for, and what they get" }),
  ...socketAccess,
};

const schema = z.strictObject({
  type: z.literal("credential-api").meta({ flag: false }),
  ...credentialSocketFields,
});

/** A socket on which programs of this machine ask for credentials of their own. */
export const credentialApiService = defineServiceType({
  shortName: "credential-api",
  summary: "a socket on which local programs get credentials on demand",
  schema,
  endless: true,
  create: (configuration, dependencies) => ({
    name: configuration.name,
    type: configuration.type,
    run: async (run) => await credentialApi({ configuration, dependencies, ...run }),
  }),
});
