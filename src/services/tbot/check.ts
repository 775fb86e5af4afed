import { badParameter } from "#base/kernel";
import { joinUriAddress, parseJoinUri, type JoinMethod } from "#domain/join";
import {
  idTokenPlace,
  knowsIdTokens,
  parseAddress,
  type Address,
  type IdTokenPlace,
} from "#services/enrolment";
import type { BotConfiguration } from "./configuration.ts";
import { contradictions } from "./contradictions.ts";

/** How a bot joins, from its fields or its join URI. */
export interface JoinParameters {
  readonly address: Address;
  readonly method: JoinMethod;
  readonly token: string;
  readonly caPins: readonly string[];
  /** Secret. */
  readonly registrationSecret?: string;
  readonly registrationSecretPath?: string;
  /** A registration secret that looks like a path: if a file is there, it holds the static key. */
  readonly staticKeyPath?: string;
  /** For methods whose proof is an ID token that is not where they look for it. */
  readonly idTokenPlace?: IdTokenPlace;
}

const DEFAULT_PROXY_PORT = 3080;
const DEFAULT_AUTH_PORT = 3025;

/**
 * Whether a configuration is enough to start with: throws one `bad_parameter` with everything that is
 * missing (and what a service from the command line contradicts), or gives how to join.
 */
export function checkConfiguration(configuration: BotConfiguration): JoinParameters {
  const faults = [
    ...absences(configuration),
    ...contradictions(configuration).map(({ path, message }) => `${path.join(".")} ${message}`),
  ];
  if (faults.length > 0) throw badParameter(faults.join("\n"));
  return joinParameters(configuration);
}

function absences({ proxy_server, auth_server, join_uri, onboarding }: BotConfiguration): string[] {
  const faults: string[] = [];
  if ([proxy_server, auth_server, join_uri].every((address) => address === undefined))
    faults.push(
      "no address: give proxy_server (--proxy-server), auth_server (--auth-server) or join_uri (--join-uri)",
    );
  if (join_uri === undefined && onboarding.token === undefined)
    faults.push("no join token: give onboarding.token (--token) or join_uri (--join-uri)");
  return faults;
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
    oidc,
  } = onboarding;
  const place = idTokenPlace(oidc);
  const secrets = {
    ...(place === undefined ? {} : { idTokenPlace: place }),
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
    ...(uri.parameter === undefined ? {} : ofParameter(uri.method, uri.parameter)),
    address: parseAddress(joinUriAddress(uri), DEFAULT_PROXY_PORT),
    method: uri.method,
    token: uri.token,
    caPins: [...uri.caPins, ...ca_pins],
  };
}

type Given = Pick<JoinParameters, "idTokenPlace" | "registrationSecret" | "staticKeyPath">;

/**
 * What follows the token's name in a join URI: a path has a slash, a variable's name has none. Somebody's
 * own secret may begin like a path: then only the disk can tell.
 */
function ofParameter(method: JoinMethod, parameter: string): Given {
  if (!knowsIdTokens(method)) {
    const path = /^\.{0,2}\//.test(parameter) ? { staticKeyPath: parameter } : {};
    return { registrationSecret: parameter, ...path };
  }
  return { idTokenPlace: parameter.includes("/") ? { path: parameter } : { env: parameter } };
}
