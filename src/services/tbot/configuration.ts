import { duration } from "#base/config";
import { joinMethods } from "#domain/resources";
import { boundKeyFields, idTokenFields } from "#services/enrolment";
import * as z from "zod";
import { contradictions } from "./contradictions.ts";
import { destination } from "./fields.ts";
import type {
  NamedConfiguration,
  ServiceDependencies,
  ServiceType,
  Surroundings,
} from "./service-type.ts";
import { credentialSocketFields } from "./services/credential-api.ts";
import { serviceTypes } from "./services/index.ts";
import type { Service } from "./supervisor.ts";

const onboarding = z.strictObject({
  token: z.string().min(1).optional().meta({
    flag: "token",
    env: "TBOT_TOKEN",
    description: "name of the join token (or TBOT_TOKEN)",
  }),
  join_method: z
    .enum(joinMethods)
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
    path: true,
    description: "file that holds the registration secret",
  }),
  bound_keypair: boundKeyFields.prefault({}),
  oidc: idTokenFields.prefault({}),
});

type ServiceSchema = (typeof serviceTypes)[keyof typeof serviceTypes]["schema"];

/** One service, of any type of the list. */
export const service = z.discriminatedUnion(
  "type",
  Object.values(serviceTypes).map(({ schema }) => schema) as unknown as readonly [
    ServiceSchema,
    ...ServiceSchema[],
  ],
);

/** What `services:` holds, and what a running bot is given. */
export const serviceList = z.array(service);

const fields = z.strictObject({
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
    env: "TBOT_JOIN_URI",
    placeholder: "uri",
    description:
      "tbot+proxy+METHOD://TOKEN[:SECRET]@HOST:PORT, instead of address, token and method (or TBOT_JOIN_URI)",
  }),
  onboarding: onboarding.prefault({}),
  storage: destination.optional().meta({
    placeholder: "path",
    description: "where the bot keeps its own identity: a directory, or memory://",
  }),
  credential_ttl: duration
    .default("1h")
    .meta({ flagAliases: ["certificate-ttl"], description: "lifetime of credentials" }),
  identity_ttl: duration.optional().meta({
    description: "lifetime of the bot's own identity, up to 7d; without it, credential_ttl",
  }),
  renewal_interval: duration.default("20m").meta({ description: "how often to renew" }),
  oneshot: z.boolean().default(false).meta({ description: "write every output once, then exit" }),
  diag_addr: z.string().min(1).optional().meta({
    placeholder: "host:port",
    description: "serve /readyz, /wait and /metrics here",
  }),
  services: serviceList.default([]).meta({ flag: false, description: "what the bot does" }),
  sockets: z.array(z.strictObject(credentialSocketFields)).default([]).meta({
    flag: false,
    description: "where local programs get credentials: short for services of type credential-api",
  }),
});

/** `tbot.yaml`, and through its metadata the flags of `tbot start` and `tbot configure`. */
export const botConfiguration = fields
  .superRefine((written, context) => {
    // Values that are wrong by themselves cannot be compared; their faults come first.
    if (context.issues.length > 0) return;
    for (const { path, message } of contradictions(asRun(written), written.services.length))
      context.addIssue({ code: "custom", path: [...path], message });
  })
  .transform(asRun);

type Written = z.infer<typeof fields>;

/** As the bot runs it: what was written under `sockets` stands among the services. */
export type BotConfiguration = Omit<Written, "sockets">;

function asRun({ sockets, ...bot }: Written): BotConfiguration {
  const more = sockets.map((socket) => ({ type: "credential-api" as const, ...socket }));
  return { ...bot, services: [...bot.services, ...more] };
}

export type ServiceConfiguration = BotConfiguration["services"][number];
export type NamedServiceConfiguration = ServiceConfiguration & NamedConfiguration;

/** With what depends on where the bot runs. */
export function completeService(
  configuration: ServiceConfiguration,
  surroundings: Surroundings,
): ServiceConfiguration {
  const type: ServiceType<never> = serviceTypes[configuration.type];
  return { ...configuration, ...type.missing?.(configuration as never, surroundings) };
}

export function createService(
  configuration: NamedServiceConfiguration,
  dependencies: ServiceDependencies,
): Service {
  const type: ServiceType<never> = serviceTypes[configuration.type];
  // The table's key is the type that its configuration names, so this pair fits.
  return type.create(configuration as never, dependencies);
}
