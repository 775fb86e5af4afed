import * as z from "zod";
import { specificTlsFiles, tlsFiles } from "../artifacts.ts";
import { appName, commonFields, destination, roles } from "../fields.ts";
import { outputService } from "../output.ts";
import { defineServiceType } from "../service-type.ts";

const schema = z.strictObject({
  type: z.literal("application").meta({ flag: false, valueAliases: { app: "application" } }),
  ...commonFields,
  app_name: appName,
  destination: destination.meta({ description: "where to write: a directory, or memory://" }),
  roles,
  specific_tls_extensions: z.boolean().default(false).meta({
    description: "write tls.crt, tls.key and tls.cas as well, for programs that want these names",
  }),
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
      artifacts: (credentials) => [
        ...tlsFiles(credentials),
        ...(configuration.specific_tls_extensions ? specificTlsFiles(credentials) : []),
      ],
    }),
});
