import { duration } from "#base/config";
import { appNamePattern } from "#domain/resources";
import { idTokenFields } from "#services/enrolment";
import * as z from "zod";

/** `host:port`, where the host may be empty (all addresses) and the port 0 (any free one). */
const listenAddress = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^:/@\s[\]]*):\d{1,5}$/, {
  error: "must be host:port, such as 0.0.0.0:3080",
});

const publicAddress = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^:/@\s[\]]+)(:\d{1,5})?$/, {
  error: "must be host or host:port, such as tenon.example.com:3080",
});

const clusterName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, {
  error: "must be a lower-case DNS name, such as example.com",
});

const pin = z.string().regex(/^sha256:[0-9a-f]{64}$/, {
  error: "must be sha256: and 64 lower-case hex digits, as `tctl status` prints it",
});

const keyPair = z.strictObject({
  cert_file: z.string().min(1).meta({ description: "PEM certificate, followed by its chain" }),
  key_file: z.string().min(1).meta({ description: "PEM private key" }),
});

const proxyService = z.strictObject({
  enabled: z.boolean().default(true).meta({ flag: false }),
  listen_addr: listenAddress.default("0.0.0.0:3080").meta({
    flag: "listen",
    placeholder: "host:port",
    description: "where the one TLS port listens",
  }),
  public_addr: publicAddress.optional().meta({
    flag: "public-addr",
    placeholder: "host:port",
    description: "how clients reach it; default: the cluster's name and the port",
  }),
  https_keypairs: z.array(keyPair).default([]).meta({
    flag: false,
    description:
      "web certificates, read again when the files change; without any, a self-signed one is made",
  }),
});

const authService = z.strictObject({ enabled: z.boolean().default(true).meta({ flag: false }) });

/** One entry of `app_service.apps`; the flags of `tenon app start` come from it too. */
export const appEntry = z.strictObject({
  name: z
    .string()
    .regex(appNamePattern, {
      error: "must be one DNS label: lower-case letters, digits and hyphens, at most 63",
    })
    .meta({ description: "name of the application" }),
  uri: z
    .url({
      protocol: /^(https?|tcp)$/,
      error: "must be an http://, https:// or tcp:// address",
    })
    .refine((uri) => !uri.startsWith("tcp:") || /:\d+\/?$/.test(uri), {
      error: "must name a port, such as tcp://localhost:5432",
    })
    .meta({ description: "where this agent reaches it, such as http://localhost:8080" }),
  description: z.string().max(1024).default("").meta({ description: "what it is, for people" }),
  labels: z
    .record(z.string().min(1).max(128), z.string().max(512))
    .default({})
    .meta({ description: "labels that roles match" }),
  public_addr: z.string().min(1).optional().meta({
    placeholder: "host",
    description: "another host name under which the proxy serves it",
  }),
  insecure_skip_verify: z
    .boolean()
    .default(false)
    .meta({ description: "accept any certificate of an https:// application" }),
  ca_file: z.string().min(1).optional().meta({
    placeholder: "path",
    description: "PEM authorities that an https:// application's certificate may come from",
  }),
  preserve_host: z
    .boolean()
    .default(false)
    .meta({ description: "pass on the client's Host header instead of the application's own" }),
  response_timeout: duration
    .default("1m")
    .meta({ description: "longest wait for the first byte of an answer" }),
});

const appService = z.strictObject({
  enabled: z.boolean().default(true),
  apps: z.array(appEntry).default([]).meta({ description: "what this agent serves" }),
});

export const joinParams = z.strictObject({
  method: z
    .enum(["token", "bound_keypair", "oidc", "github", "gitlab", "kubernetes"])
    .default("token")
    .meta({
      flag: "join-method",
      description: "how this machine proves who it is",
      valueAliases: { "bound-keypair": "bound_keypair" },
    }),
  token: z.string().min(1).optional().meta({
    flag: "token",
    secret: true,
    description:
      "join token, or the path of a file that holds it; needed until the agent has joined",
  }),
  registration_secret: z.string().min(1).optional().meta({
    flag: "registration-secret",
    secret: true,
    description:
      "for the first join by bound_keypair: the secret, or the path of a file that holds it",
  }),
  oidc: idTokenFields.prefault({}),
});

export const joinUri = z.string().min(1).meta({
  secret: true,
  placeholder: "uri",
  description:
    "tbot+proxy+METHOD://TOKEN[:SECRET]@HOST:PORT, instead of proxy_server, ca_pin and join_params",
});

export const proxyServer = publicAddress.meta({
  placeholder: "host:port",
  description: "the cluster's proxy, for an agent that runs without one",
});

export const caPin = z
  .union([pin, z.array(pin)])
  .transform((pins) => (typeof pins === "string" ? [pins] : pins))
  .meta({ placeholder: "pin", description: "pin of the host authority, for the first contact" });

export const dataDir = z
  .string()
  .min(1)
  .meta({ placeholder: "path", env: "TENON_DATA_DIR", description: "where everything is kept" });

export const diagAddr = listenAddress.meta({
  placeholder: "host:port",
  description: "serve /livez, /readyz and /metrics here, without TLS",
});

export const logSection = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error"]).default("info").meta({
    flag: "log-level",
    description: "how much to log",
  }),
  format: z.enum(["text", "json"]).default("text").meta({
    flag: "log-format",
    description: "lines for people, or JSON for programs",
  }),
});

const fields = z.strictObject({
  version: z.literal("v1").default("v1").meta({ flag: false }),
  cluster_name: clusterName.optional().meta({
    placeholder: "name",
    description: "DNS name of the cluster, fixed at the first start; default: this machine's name",
  }),
  data_dir: dataDir.optional(),
  log: logSection.prefault({}),
  diag_addr: diagAddr.optional(),
  auth_service: authService.prefault({}),
  proxy_service: proxyService.prefault({}),
  app_service: appService.optional().meta({ flag: false, description: "serves applications" }),
  proxy_server: proxyServer.optional(),
  join_uri: joinUri.optional(),
  join_params: joinParams.prefault({}),
  ca_pin: caPin.optional(),
});

export type Configuration = z.infer<typeof fields>;
export type AppEntry = z.infer<typeof appEntry>;

/** `tenon.yaml`, and through its metadata the flags of `tenon start` and `tenon configure`. */
export const configuration = fields.superRefine((value, context) => {
  for (const { path, message } of contradictions(value))
    context.addIssue({ code: "custom", path: [...path], message });
});

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What no field is wrong about by itself. */
function contradictions(value: Configuration): Contradiction[] {
  const { auth_service: auth, proxy_service: proxy, app_service: app } = value;
  const found: Contradiction[] = [];
  if (auth.enabled !== proxy.enabled)
    found.push({
      path: [auth.enabled ? "proxy_service" : "auth_service", "enabled"],
      message: "must be the same for auth_service and proxy_service: one process runs both",
    });
  if (!auth.enabled && !app?.enabled)
    found.push({ path: ["app_service"], message: "is needed: without it nothing is left to run" });
  if (!auth.enabled && value.proxy_server === undefined && value.join_uri === undefined)
    found.push({
      path: ["proxy_server"],
      message:
        "is needed (or join_uri) by an agent that runs without auth_service and proxy_service",
    });
  for (const field of ["proxy_server", "join_uri"] as const)
    if (auth.enabled && value[field] !== undefined)
      found.push({
        path: [field],
        message: "is only for an agent that runs without auth_service and proxy_service",
      });
  return [...found, ...joinContradictions(value), ...repeatedNames(app?.apps ?? [])];
}

/** What a join URI says is said once. */
export function joinContradictions(
  value: Pick<Configuration, "join_uri" | "proxy_server" | "join_params">,
): Contradiction[] {
  const { join_uri: uri, proxy_server: proxy, join_params: params } = value;
  if (uri === undefined) return [];
  const message = "is said by join_uri already";
  return [
    ...(proxy === undefined ? [] : [{ path: ["proxy_server"], message }]),
    ...(params.token === undefined ? [] : [{ path: ["join_params", "token"], message }]),
    ...(params.registration_secret === undefined
      ? []
      : [{ path: ["join_params", "registration_secret"], message }]),
  ];
}

function repeatedNames(apps: readonly AppEntry[]): Contradiction[] {
  const names = apps.map(({ name }) => name);
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ path: ["app_service", "apps", index, "name"], message: "is there twice" }],
  );
}
