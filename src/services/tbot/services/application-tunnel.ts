import type { Socket } from "node:net";
import { generateKeyPair } from "#base/crypto";
import { durationMs } from "#base/config";
import { pipeDuplex } from "#base/wire";
import { RouteClient } from "#services/tunnel";
import { z } from "zod";
import { appName, commonFields, listen, roles } from "../fields.ts";
import { openListener } from "../listen.ts";
import { renew } from "../renewal.ts";
import {
  defineServiceType,
  type NamedConfiguration,
  type ServiceDependencies,
} from "../service-type.ts";
import type { Service } from "../supervisor.ts";

const schema = z.strictObject({
  type: z
    .literal("application-tunnel")
    .meta({ flag: false, valueAliases: { "app-tunnel": "application-tunnel" } }),
  ...commonFields,
  app_name: appName,
  listen,
  roles,
});

type Configuration = z.infer<typeof schema>;

/** A local port on which any program reaches one application, without credentials of its own. */
export const applicationTunnelService = defineServiceType({
  shortName: "app-tunnel",
  summary: "a local port that leads to one application",
  schema,
  create: (configuration, dependencies) => ({
    name: configuration.name,
    type: configuration.type,
    run: (running) => runTunnel({ configuration, dependencies, ...running }),
  }),
});
