import { badParameter } from "#base/kernel";
import type { Token } from "#domain/resources";

/** How a machine proves that it may join; `token.spec.join_method`. */
export type JoinMethod = Token["spec"]["join_method"];

/** What `tbot+proxy+bound-keypair://token:parameter@host:port?ca_pin=…` says (RFD 0205, "Bot Joining URIs"). */
export interface JoinUri {
  /** Whether the address is that of the proxy or of the auth server itself. */
  readonly via: "proxy" | "auth";
  readonly method: JoinMethod;
  readonly token: string;
  /**
   * For `bound_keypair` the registration secret, for `oidc`, `gitlab` and `kubernetes` where the ID
   * token is. Treated as secret: never logged, never in an error.
   */
  readonly parameter?: string;
  /** A DNS name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Pins of the host authorities that the first connection accepts; none: the system's trust. */
  readonly caPins: readonly string[];
}

const defaultPorts = { proxy: 3080, auth: 3025 } as const;

/** What follows the colon after the token's name; a method without it takes no parameter. */
const parameters: Readonly<Record<JoinMethod, string | undefined>> = {
  token: undefined,
  bound_keypair: "the registration secret",
  oidc: "the file or the environment variable that holds the ID token",
  github: undefined,
  gitlab: "the environment variable that holds the ID token",
  kubernetes: "the file that holds the service account's token",
};

/** Longer than any real one; what a person pasted by mistake is refused before it is taken apart. */
const MAX_URI_LENGTH = 4096;
const SHAPE = "tbot+proxy+<method>://<token>[:<parameter>]@<host>:<port>[?ca_pin=sha256:<hex>]";
const PARTS = /^tbot\+([^+:]*)\+([^:]*):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/?)(?:\?([^#]*))?$/;
const PIN = /^sha256:[0-9a-f]{64}$/;
const DNS_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.(?!-)[A-Za-z0-9_-]{1,63})*\.?$/;
const MAX_DNS_NAME = 253;

/** True for what can only be meant as a join URI: for commands that also take other arguments. */
export const looksLikeJoinUri = (text: string): boolean => text.startsWith("tbot+");

/** Throws `bad_parameter` naming the part that is wrong, never quoting the token or its parameter. */
export function parseJoinUri(text: string): JoinUri {
  if (text.length > MAX_URI_LENGTH)
    throw badParameter(`the join URI is longer than ${MAX_URI_LENGTH} characters`);
  const parts = PARTS.exec(text);
  if (!parts) throw badParameter(`this is not a join URI; write it as ${SHAPE}`);
  const [, via = "", method = "", user, authority = "", , query = ""] = parts;
  const common = { via: parseVia(via), method: parseMethod(method) };
  return {
    ...common,
    ...parseUser(user, common.method),
    ...parseAuthority(authority, common.via),
    caPins: parseQuery(query),
  };
}

/** The inverse of `parseJoinUri`; the same refusals. */
export function formatJoinUri(uri: JoinUri): string {
  const user = [uri.token, ...(uri.parameter ? [uri.parameter] : [])].map(encode).join(":");
  const query = uri.caPins.map((pin) => `ca_pin=${pin}`).join("&");
  const scheme = `tbot+${uri.via}+${uri.method.replaceAll("_", "-")}`;
  const text = `${scheme}://${user}@${joinUriAddress(uri)}${query && `?${query}`}`;
  parseJoinUri(text);
  return text;
}

/** Where machines come in, and how they know that it is the right cluster. */
export interface Entry {
  /** `host[:port]` of the proxy. */
  readonly address: string;
  readonly caPins: readonly string[];
}

/** What a machine joins with by this token, the secret included where there is one. */
export function joinUriOf({ address, caPins }: Entry, { metadata, spec, status }: Token): string {
  const secret = status?.bound_keypair?.registration_secret;
  return formatJoinUri({
    via: "proxy",
    method: spec.join_method,
    token: metadata.name,
    ...(secret ? { parameter: secret } : {}),
    ...parseAuthority(address, "proxy"),
    caPins,
  });
}

/** `host:port`, with brackets around an IPv6 address. */
export function joinUriAddress(uri: Pick<JoinUri, "host" | "port">): string {
  return uri.host.includes(":") ? `[${uri.host}]:${uri.port}` : `${uri.host}:${uri.port}`;
}

function parseVia(text: string): JoinUri["via"] {
  if (text === "proxy" || text === "auth") return text;
  throw badParameter(`"${text}" in the join URI must be proxy or auth, as in ${SHAPE}`);
}

const isMethod = (text: string): text is JoinMethod => Object.hasOwn(parameters, text);

function parseMethod(text: string): JoinMethod {
  const method = text.replaceAll("-", "_");
  if (isMethod(method)) return method;
  const known = Object.keys(parameters).map((name) => name.replaceAll("_", "-"));
  throw badParameter(`"${text}" is not a join method; use one of ${known.join(", ")}`);
}

function parseUser(
  text: string | undefined,
  method: JoinMethod,
): Pick<JoinUri, "token" | "parameter"> {
  const [token, parameter, ...rest] = (text ?? "").split(":").map(decode);
  if (!token) throw badParameter(`the join URI names no token; write it as ${SHAPE}`);
  if (rest.length > 0)
    throw badParameter(`the parameter after the token holds a ":"; write it as %3A`);
  if (!parameter) return { token };
  if (!parameters[method])
    throw badParameter(`join method "${method}" takes no parameter after the token's name`);
  return { token, parameter };
}

function parseAuthority(text: string, via: JoinUri["via"]): Pick<JoinUri, "host" | "port"> {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text) ?? [];
  const host = bracketed === undefined ? plain : bracketed;
  const valid = bracketed === undefined ? isHostName(plain ?? "") : isIPv6(bracketed);
  if (!host || !valid)
    throw badParameter(
      `"${text}" is not an address; write host:port, with brackets around an IPv6 address`,
    );
  return { host, port: port === undefined ? defaultPorts[via] : parsePort(port) };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw badParameter(`port "${text}" in the join URI must be a number from 1 to 65535`);
}

const isHostName = (text: string): boolean => text.length <= MAX_DNS_NAME && DNS_NAME.test(text);
const isIPv6 = (text: string): boolean =>
  /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]/`);

function parseQuery(text: string): string[] {
  if (text === "") return [];
  return text.split("&").map((pair) => {
    const equals = pair.indexOf("=");
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1));
    if (key !== "ca_pin")
      throw badParameter(
        `"${key}" after the "?" of the join URI is unknown; only ca_pin is allowed`,
      );
    if (!PIN.test(value))
      throw badParameter(`ca_pin "${value}" must be sha256: and 64 lower-case hex digits`);
    return value;
  });
}

function encode(text: string): string {
  if (!text.isWellFormed()) throw badParameter("a join URI cannot carry half a surrogate pair");
  return encodeURIComponent(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badParameter(`the join URI holds a "%" that begins no UTF-8 character; write % as %25`);
  }
}
