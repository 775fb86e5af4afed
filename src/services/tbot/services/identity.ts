import { encodeIdentityFile } from "#domain/authority";
import * as z from "zod";
import { commonFields, destination, roles } from "../fields.ts";
import { outputService } from "../output.ts";
import { defineServiceType } from "../service-type.ts";
import { sshFiles } from "../ssh-files.ts";
import { certificateAuthorityFiles, keyFiles } from "../artifacts.ts";

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
  ssh_config: z
    .enum(["on", "off"])
    .default("on")
    .meta({ description: "write ssh_config and known_hosts" }),
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
      artifacts: (credentials, where) => [
        { name: "identity", data: encodeIdentityFile(credentials) },
        ...keyFiles(credentials),
        ...certificateAuthorityFiles(credentials.trust),
        ...(configuration.ssh_config === "on" ? sshFiles(credentials, where) : []),
      ],
    }),
});
