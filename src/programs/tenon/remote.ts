import { badParameter, fileError } from "#base/kernel";
import { parseJoinUri } from "#domain/join";
import {
  idTokenPlace,
  knowsIdTokens,
  parseAddress,
  type Address,
  type IdTokenPlace,
} from "#services/enrolment";
import { readFile } from "node:fs/promises";
import type { Configuration } from "./configuration.ts";
import type { Surroundings } from "./paths.ts";

/** A cluster that is not this process, and how an agent joins it. */
export interface RemoteCluster {
  readonly address: Address;
  readonly caPins: readonly string[];
  /** Not needed once the agent has joined. */
  readonly token: string | undefined;
  readonly method: Configuration["join_params"]["method"];
  /** For the first join by `bound_keypair`. Secret. */
  readonly registrationSecret: string | undefined;
  /** Where the ID token is that the method takes, if it is not in its usual place. */
  readonly idTokenPlace: IdTokenPlace | undefined;
  /** The environment, where some platforms put it. */
  readonly env: Surroundings["env"];
}

export const PROXY_PORT = 3080;

type Joining = Pick<Configuration, "proxy_server" | "join_uri" | "join_params" | "ca_pin">;

/** `undefined` when the configuration names no other cluster. */
export async function remoteCluster(
  configuration: Joining,
  { env }: Surroundings,
): Promise<RemoteCluster | undefined> {
  const { proxy_server: proxy, join_uri: uri, join_params: params } = configuration;
  const { ca_pin: caPins = [] } = configuration;
  const common = { idTokenPlace: idTokenPlace(params.oidc), env };
  if (uri !== undefined) return { ...common, ...ofUri(uri, caPins) };
  if (proxy === undefined) return undefined;
  return {
    ...common,
    address: parseAddress(proxy, PROXY_PORT),
    caPins,
    token: await secretOf(params.token),
    registrationSecret: await secretOf(params.registration_secret),
    method: params.method,
  };
}

type OfUri = Omit<RemoteCluster, "env" | "idTokenPlace"> & Partial<RemoteCluster>;

/** What follows the token's name belongs to the method. */
function ofUri(text: string, pins: readonly string[]): OfUri {
  const { via, method, token, parameter, host, port, caPins } = parseJoinUri(text);
  if (via === "auth")
    throw badParameter(
      "the join URI leads to the auth server, and an agent serves through the proxy: tbot+proxy+…",
    );
  const common = { address: { host, port }, caPins: [...caPins, ...pins], token, method };
  if (!knowsIdTokens(method) || parameter === undefined)
    return { ...common, registrationSecret: parameter };
  const place = parameter.includes("/") ? { path: parameter } : { env: parameter };
  return { ...common, registrationSecret: undefined, idTokenPlace: place };
}

/** The name of a token never starts with a slash, nor does a secret that the cluster makes: that is a path. */
async function secretOf(text: string | undefined): Promise<string | undefined> {
  if (!text?.startsWith("/")) return text;
  try {
    return (await readFile(text, "utf8")).trim();
  } catch (error) {
    throw fileError(`cannot read "${text}"`, error);
  }
}
