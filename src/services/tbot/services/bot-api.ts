import * as z from "zod";
import { roles, serviceName, socketAccess } from "../fields.ts";
import { defineServiceType } from "../service-type.ts";

const schema = z.strictObject({
  type: z.literal("bot-api").meta({ flag: false }),
  name: serviceName.optional(),
  listen: z
    .string()
    .regex(/^unix:\/\/.+/, { error: "must be unix:///path" })
    .optional()
    .meta({
      path: true,
      description:
        "socket to listen on, unix:///path; default: TBOT_API_SOCKET, or tenon/bot-api.sock in XDG_RUNTIME_DIR",
    }),
  ...socketAccess,
  allowed_types: z.array(z.string().min(1)).default([]).meta({
    description: "types of services that may be spawned through the socket; default: all",
  }),
  allowed_roles: roles.meta({
    description: "roles that services spawned through the socket may have; default: all of the bot",
  }),
});

/** Takes orders on a socket: services that start and stop while the bot runs. */
export const botApiService = defineServiceType({
  shortName: "bot-api",
  summary: "a socket on which the running bot takes orders: spawn, stop and watch services",
  schema,
  endless: true,
  missing: ({ listen }, { apiSocket }) => (listen === undefined ? { listen: apiSocket } : {}),
  create: (configuration, dependencies) => ({
    name: configuration.name,
    type: configuration.type,
    run: async (options) => {
      const { serveBotApi } = await import("../api/serve.ts");
      await serveBotApi({ configuration, dependencies, ...options });
    },
  }),
});
