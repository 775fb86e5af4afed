import * as z from "zod";
import { routeFiles } from "../artifacts.ts";
import { appName, commonFields, destination, roles, specificTlsExtensions } from "../fields.ts";
import { outputService } from "../output.ts";
import { defineServiceType } from "../service-type.ts";

const schema = z.strictObject({
  type: z.literal("application").meta({ flag: false, valueAliases: { app: "application" } }),
  ...commonFields,
  app_name: appName,
  destination: destination.meta({ description: "where to write: a directory, or memory://" }),
  roles,
  specific_tls_extensions: specificTlsExtensions,
});

/** A TLS certificate that opens one application at `https://<app>.<cluster domain>`. */
export const applicationService = defineServiceType({
  shortName: "app",
  summary: "a TLS certificate for one application, for curl and other HTTP clients",
  schema,
  create: (configuration, dependencies) =>
    outputService({
      configuration,
      dependencies,
      request: { appName: configuration.app_name, allowReissue: false, ssh: false },
      artifacts: (credentials) => routeFiles(credentials, configuration),
    }),
});
