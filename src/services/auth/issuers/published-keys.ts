import { getJson } from "#base/wire";
import { CodedError, unavailable, type Clock } from "#base/kernel";
import { KeySet } from "#domain/join";
import * as z from "zod";

/** A healthy issuer answers in a fraction of it; two requests must fit well into a ceremony. */
const REQUEST_MS = 5_000;
/** Real ones have some 2 KiB. */
const MAX_DISCOVERY_BYTES = 64 * 1024;
/** Twenty keys with their certificate chains come to 100 KiB. */
const MAX_KEYS_BYTES = 256 * 1024;

/** OpenID Connect Discovery section 3: the two fields that matter here. */
const discovery = z.object({ issuer: z.string(), jwks_uri: z.string().max(2048) });

export interface IssuerRequest {
  readonly clock: Clock;
  /** Authorities in PEM that are trusted beside the system's. */
  readonly ca: readonly string[];
  readonly signal: AbortSignal;
}

/** Asks an issuer for its keys: its configuration first, then the key set that this names. */
export async function publishedKeys(issuer: string, request: IssuerRequest): Promise<KeySet> {
  const common = { ...request, timeoutMs: REQUEST_MS };
  const document = await getJson(discoveryUrl(issuer), {
    ...common,
    maxBytes: MAX_DISCOVERY_BYTES,
  });
  const keys = await getJson(jwksUri(issuer, document), { ...common, maxBytes: MAX_KEYS_BYTES });
  return readKeys(issuer, keys);
}

/** Section 4: "any terminating / MUST be removed before appending". */
const discoveryUrl = (issuer: string): string =>
  `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;

/** Section 4.3: "The issuer value returned MUST be identical to the Issuer URL". */
function jwksUri(issuer: string, document: unknown): string {
  const parsed = discovery.safeParse(document);
  if (!parsed.success)
    throw unavailable(`the configuration of issuer "${issuer}" names no issuer or no jwks_uri`);
  if (parsed.data.issuer !== issuer)
    throw unavailable(
      `the configuration of issuer "${issuer}" is that of ${JSON.stringify(parsed.data.issuer.slice(0, 256))}`,
    );
  return parsed.data.jwks_uri;
}

function readKeys(issuer: string, document: unknown): KeySet {
  try {
    return KeySet.read(document);
  } catch (error) {
    if (error instanceof CodedError)
      throw unavailable(`issuer "${issuer}": ${error.message}`, { cause: error });
    throw error;
  }
}
