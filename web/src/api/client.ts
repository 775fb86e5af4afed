import { tellOver } from "./over.ts";

/** A refusal of an endpoint, or of the network. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The call succeeds after a second factor. */
  readonly requiresFactor: boolean;
  /** Of a proxy that does not know the endpoint. */
  readonly proxyVersion: string | undefined;

  constructor(status: number, body: ErrorBody) {
    super(
      body.proxyVersion === undefined
        ? (body.error?.message ?? `the cluster answered ${status}`)
        : `this proxy (version ${body.proxyVersion}) is older than the page and cannot do this; reload the page, or ask for an upgrade`,
    );
    this.status = status;
    this.code = body.error?.code ?? "internal";
    this.requiresFactor = body.error?.requires_mfa === true;
    this.proxyVersion = body.proxyVersion;
  }
}

interface ErrorBody {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly requires_mfa?: boolean;
    readonly signed_out?: boolean;
  };
  readonly proxyVersion?: string;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

export async function call<Answer>(method: Method, path: string, body?: unknown): Promise<Answer> {
  const reply = await fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(isUnattended() ? { "tenon-unattended": "1" } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiError(0, { error: { message: "the cluster cannot be reached" } });
  });
  const read: unknown = await reply.json().catch(() => ({}));
  if (reply.ok) return read as Answer;
  const refusal = new ApiError(reply.status, read as ErrorBody);
  if ((read as ErrorBody).error?.signed_out) tellOver(refusal.message);
  throw refusal;
}

/** A page that has just been opened was opened by somebody; later, what no press of a key or button began is the page's own. */
const OPENED_MS = 60_000;
const isUnattended = (): boolean =>
  performance.now() > OPENED_MS && !navigator.userActivation.isActive;

/** The site of a cluster that is served by itself. */
export const site = "/v1/webapi/sites/-";

export const query = (
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): string => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
};

export const named = (...names: readonly string[]): string =>
  names.map((name) => encodeURIComponent(name)).join("/");

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
