import { duration } from "#base/config";
import * as z from "zod";
import { destination, type DestinationConfiguration } from "./fields.ts";
import type { NamedConfiguration, ServiceDependencies, ServiceType } from "./service-type.ts";
import { serviceTypes } from "./services/index.ts";
import type { Service } from "./supervisor.ts";

const onboarding = z.strictObject({
  token: z
    .string()
    .min(1)
    .optional()
    .meta({ flag: "token", description: "name of the join token" }),
  join_method: z
    .enum(["bound_keypair", "token"])
    .default("bound_keypair")
    .meta({
      flag: "join-method",
      description: "how this machine proves who it is",
      valueAliases: { "bound-keypair": "bound_keypair" },
    }),
  ca_pins: z
    .array(
      z
        .string()
        .regex(/^sha256:[0-9a-f]{64}$/, { error: "must be sha256: and 64 lower-case hex digits" }),
    )
    .default([])
    .meta({
      flag: "ca-pin",
      description: "pin of the cluster's host authority, for the first contact",
    }),
  registration_secret: z.string().min(1).optional().meta({
    flag: "registration-secret",
    secret: true,
    description: "secret for the first join by bound keypair (or TBOT_REGISTRATION_SECRET)",
  }),
  registration_secret_path: z.string().min(1).optional().meta({
    flag: "registration-secret-path",
    description: "file that holds the registration secret",
  }),
});

const service = z.discriminatedUnion("type", [
  serviceTypes.identity.schema,
  serviceTypes.application.schema,
  serviceTypes["application-tunnel"].schema,
]);

/** `tbot.yaml`, and through its metadata the flags of `tbot start` and `tbot configure`. */
export const botConfiguration = z.strictObject({
  version: z.literal("v2").default("v2").meta({ flag: false }),
  proxy_server: z.string().min(1).optional().meta({
    placeholder: "host:port",
    description: "address of the cluster's proxy",
  }),
  auth_server: z.string().min(1).optional().meta({
    placeholder: "host:port",
    description: "address of the cluster's auth server, instead of the proxy's",
  }),
  join_uri: z.string().min(1).optional().meta({
    secret: true,
    placeholder: "uri",
    description:
      "tbot+proxy+METHOD://TOKEN[:SECRET]@HOST:PORT, instead of address, token and method",
  }),
  onboarding: onboarding.prefault({}),
  storage: destination.optional().meta({
    placeholder: "path",
    description: "where the bot keeps its own identity: a directory, or memory://",
  }),
  credential_ttl: duration
    .default("1h")
    .meta({ flagAliases: ["certificate-ttl"], description: "lifetime of credentials" }),
  renewal_interval: duration.default("20m").meta({ description: "how often to renew" }),
  oneshot: z.boolean().default(false).meta({ description: "write every output once, then exit" }),
  diag_addr: z.string().min(1).optional().meta({
    placeholder: "host:port",
    description: "serve /readyz, /wait and /metrics here",
  }),
  services: z.array(service).default([]).meta({ flag: false, description: "what the bot does" }),
});

export type BotConfiguration = z.infer<typeof botConfiguration>;
export type ServiceConfiguration = BotConfiguration["services"][number];
export type { DestinationConfiguration };

/** Gives every service its name: its own, or its short type and the first free number. */
export function nameServices(services: readonly ServiceConfiguration[]): Named[] {
  const names = new Set(services.map(({ name }) => name));
  return services.map((configuration) => {
    const { shortName } = serviceTypes[configuration.type];
    const name = configuration.name ?? freeName(shortName, names);
    names.add(name);
    return { ...configuration, name };
  });
}

function freeName(base: string, taken: ReadonlySet<string | undefined>): string {
  for (let number = 1; ; number++) {
    if (!taken.has(`${base}-${number}`)) return `${base}-${number}`;
  }
}

type Named = ServiceConfiguration & NamedConfiguration;

export function createService(configuration: Named, dependencies: ServiceDependencies): Service {
  const type: ServiceType<never> = serviceTypes[configuration.type];
  // The table's key is the type that its configuration names, so this pair fits.
  return type.create(configuration as never, dependencies);
}
