import * as z from "zod";
import { commonFields, destination, roles, sshConfig } from "../fields.ts";
import { outputService } from "../output.ts";
import { defineServiceType } from "../service-type.ts";
import { identityFiles } from "../artifacts.ts";

const schema = z.strictObject({
  type: z
    .literal("identity")
    .meta({ flag: false, valueAliases: { ssh: "identity", id: "identity" } }),
  ...commonFields,
  destination: destination.meta({ description: "where to write: a directory, or memory://" }),
  roles,
  allow_reissue: z
    .boolean()
    .default(false)
    .meta({ description: "let whoever holds the output ask for other certificates with it" }),
  ssh_config: sshConfig,
});

/** SSH and TLS credentials as files: for ssh, tctl and everything that takes a certificate. */
export const identityService = defineServiceType({
  shortName: "identity",
  summary: "SSH and TLS credentials in a directory, for ssh, tctl and your own programs",
  schema,
  create: (configuration, dependencies) =>
    outputService({
      configuration,
      dependencies,
      request: { allowReissue: configuration.allow_reissue, ssh: true },
      artifacts: (credentials, where) => identityFiles(credentials, where, configuration),
    }),
});
