import { durationMs } from "#base/config";
import { badParameter } from "#base/kernel";
import { joinUriAddress, parseJoinUri, type JoinMethod } from "#domain/join";
import { parseAddress, type Address } from "#services/enrolment";
import { nameServices, type BotConfiguration, type ServiceConfiguration } from "./configuration.ts";

/** How a bot joins, from its fields or its join URI. */
export interface JoinParameters {
  readonly address: Address;
  readonly method: JoinMethod;
  readonly token: string;
  readonly caPins: readonly string[];
  /** Secret. */
  readonly registrationSecret?: string;
  readonly registrationSecretPath?: string;
}

const DEFAULT_PROXY_PORT = 3080;
const DEFAULT_AUTH_PORT = 3025;
/** Spec section 1: outputs live at most a day. */
const MAX_CREDENTIAL_TTL_MS = 24 * 3_600_000;

/**
 * What no single field can say: throws one `bad_parameter` with every contradiction, or gives how to
 * join.
 */
export function checkConfiguration(configuration: BotConfiguration): JoinParameters {
  const faults = [
    ...joinFaults(configuration),
    ...lifetimeFaults(configuration),
    ...collisions(configuration),
  ];
  if (faults.length > 0) throw badParameter(faults.join("\n"));
  return joinParameters(configuration);
}

function joinFaults(configuration: BotConfiguration): string[] {
  const { proxy_server, auth_server, join_uri, onboarding } = configuration;
  const addresses = [proxy_server, auth_server, join_uri].filter((given) => given !== undefined);
  const faults: string[] = [];
  if (addresses.length === 0)
    faults.push("no address: give proxy_server (--proxy-server), auth_server or join_uri");
  if (addresses.length > 1)
    faults.push("more than one address: give only one of proxy_server, auth_server and join_uri");
  if (join_uri === undefined && onboarding.token === undefined)
    faults.push("no join token: give onboarding.token (--token) or join_uri");
  if (join_uri !== undefined && onboarding.token !== undefined)
    faults.push("onboarding.token is given twice: join_uri names the token too");
  if (
    onboarding.registration_secret !== undefined &&
    onboarding.registration_secret_path !== undefined
  ) {
    faults.push("onboarding has both registration_secret and registration_secret_path: give one");
  }
  return faults;
}

function lifetimeFaults(configuration: BotConfiguration): string[] {
  const own = { ...configuration, where: "the bot" };
  const each = nameServices(configuration.services).map((service) => ({
    where: `service "${service.name}"`,
    credential_ttl: service.credential_ttl ?? configuration.credential_ttl,
    renewal_interval: service.renewal_interval ?? configuration.renewal_interval,
  }));
  return [own, ...each].flatMap(({ where, credential_ttl: ttl, renewal_interval: interval }) => [
    ...(durationMs(interval) >= durationMs(ttl)
      ? [
          `${where}: renewal_interval ${interval} is not shorter than credential_ttl ${ttl}, so credentials would expire before they are renewed`,
        ]
      : []),
    ...(durationMs(ttl) > MAX_CREDENTIAL_TTL_MS
      ? [`${where}: credential_ttl ${ttl} is longer than the 24h that are allowed`]
      : []),
  ]);
}

/** Two services that would write to, listen at, or be called the same. */
function collisions(configuration: BotConfiguration): string[] {
  const seen = new Map<string, string>();
  return nameServices(configuration.services).flatMap((service) =>
    claims(service).flatMap((claim) => {
      const other = seen.get(claim);
      seen.set(claim, service.name);
      return other === undefined
        ? []
        : [`services "${other}" and "${service.name}" have the same ${claim}`];
    }),
  );
}

function claims(service: ServiceConfiguration & { name: string }): string[] {
  const claimed = [`name "${service.name}"`];
  if ("listen" in service && !service.listen.endsWith(":0"))
    claimed.push(`listen "${service.listen}"`);
  if ("destination" in service && service.destination.type === "directory")
    claimed.push(`destination "${service.destination.path.replace(/\/+$/, "")}"`);
  return claimed;
}

function joinParameters({
  proxy_server,
  auth_server,
  join_uri,
  onboarding,
}: BotConfiguration): JoinParameters {
  const {
    registration_secret: secret,
    registration_secret_path: path,
    ca_pins,
    join_method,
    token = "",
  } = onboarding;
  const secrets = {
    ...(secret === undefined ? {} : { registrationSecret: secret }),
    ...(path === undefined ? {} : { registrationSecretPath: path }),
  };
  if (join_uri === undefined) {
    const address =
      proxy_server === undefined
        ? parseAddress(auth_server!, DEFAULT_AUTH_PORT)
        : parseAddress(proxy_server, DEFAULT_PROXY_PORT);
    return { ...secrets, address, method: join_method, token, caPins: ca_pins };
  }
  const uri = parseJoinUri(join_uri);
  return {
    ...secrets,
    ...(uri.parameter === undefined ? {} : { registrationSecret: uri.parameter }),
    address: parseAddress(joinUriAddress(uri), DEFAULT_PROXY_PORT),
    method: uri.method,
    token: uri.token,
    caPins: [...uri.caPins, ...ca_pins],
  };
}
