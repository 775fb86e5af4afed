import * as z from "zod";
import { appName, commonFields, listen, roles } from "../fields.ts";
import { defineServiceType } from "../service-type.ts";
import { Tunnel } from "../tunnel.ts";

const schema = z.strictObject({
  type: z
    .literal("application-tunnel")
    .meta({ flag: false, valueAliases: { "app-tunnel": "application-tunnel" } }),
  ...commonFields,
  app_name: appName,
  listen,
  roles,
});

/** A local port on which any program reaches one application, without credentials of its own. */
export const applicationTunnelService = defineServiceType({
  shortName: "app-tunnel",
  summary: "a local port that leads to one application",
  schema,
  endless: true,
  create: (configuration, dependencies) => ({
    name: configuration.name,
    type: configuration.type,
    run: async ({ signal, report }) =>
      await new Tunnel({ configuration, dependencies }).run({ signal, report }),
  }),
});
