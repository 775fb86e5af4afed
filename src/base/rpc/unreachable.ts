import { CodedError, unavailable } from "#base/kernel";

/** What OpenSSL says of a chain that does not end in an authority of ours. */
const UNTRUSTED =
  /unable to verify|self[- ]signed|unable to get|UNABLE_TO|signature failure|invalid CA/;

/** Whether a call failed because whoever answered is not certified by an authority trusted here. */
export const isUntrustedServer = (error: unknown): boolean =>
  error instanceof CodedError && error.code === "unavailable" && UNTRUSTED.test(error.detail ?? "");

/** What the library and Node say, what it means, and what to look at; the first match counts. */
const causes: readonly (readonly [pattern: RegExp, meaning: string, advice: string])[] = [
  [
    /ECONNREFUSED/,
    "the connection was refused",
    "check that the server runs and that the address and port are right",
  ],
  [
    /ENOENT/,
    "there is no such socket",
    "check that the server runs, and that it uses this data directory",
  ],
  [/EACCES|EPERM/, "permission was denied", "run as the user that the server runs as"],
  [
    /ENOTFOUND|EAI_AGAIN|ENODATA|Name resolution failed/,
    "the name could not be resolved",
    "check the spelling and the machine's DNS",
  ],
  [
    /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/,
    "the network does not reach it",
    "check the address, routes and firewalls",
  ],
  [
    /certificate has expired|CERT_HAS_EXPIRED/,
    "its certificate has expired",
    "check the clocks of both machines, and that the server renews its certificate",
  ],
  [/not yet valid/, "its certificate is not valid yet", "check the clocks of both machines"],
  [
    /altnames|Hostname\/IP does not match/,
    "its certificate is for another name",
    "check that this is the address of this cluster",
  ],
  [
    UNTRUSTED,
    "its certificate is not signed by an authority that is trusted here",
    "check that the address belongs to this cluster, and the CA pin or CA file",
  ],
  [
    /ALPN|ECONNABORTED|handshake timed out/,
    "what answers there does not speak TLS and HTTP/2",
    "check the address and port",
  ],
  [
    /alert|SSL routines|packet length|wrong version/,
    "the TLS handshake failed",
    "check that the port speaks TLS 1.3, and this client's certificate",
  ],
  [/HTTP status/, "what answers there is not a Tenon server", "check the address and port"],
  [
    /ECONNRESET|EPIPE|RST_STREAM|closed|dropped|disconnected|hang up|ended|cancelled|canceled/i,
    "the connection was closed",
    "try again; if it stays so, the server's log has the reason",
  ],
];

/** One `unavailable` for a server that cannot be reached or was lost: address, reason, what to check. */
export function unreachable(address: string, details: string): CodedError {
  const [, meaning, advice] = causes.find(([pattern]) => pattern.test(details)) ?? [
    /./,
    "it does not answer as it should",
    "see the detail in the log",
  ];
  return unavailable(`cannot reach ${address}: ${meaning}; ${advice}`, { detail: details });
}
