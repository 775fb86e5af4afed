import { open } from "node:fs/promises";
import {
  badParameter,
  CodedError,
  fileError,
  notFound,
  sleep,
  unavailable,
  type Clock,
} from "#base/kernel";
import { getJson } from "#base/wire";
import type { IdTokenSource, JoinMethod } from "#domain/join";
import * as z from "zod";

/** Where an ID token lies: a file, or an environment variable. */
export type IdTokenPlace = { readonly path: string } | { readonly env: string };

/** For `oidc`, and for its presets where the ID token is not in its usual place. */
export const idTokenFields = z.strictObject({
  token_path: z.string().min(1).optional().meta({
    flag: "id-token-path",
    path: true,
    placeholder: "path",
    description: "file that holds the ID token, read again for every join",
  }),
  token_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "must be the name of an environment variable" })
    .optional()
    .meta({
      flag: "id-token-env",
      placeholder: "name",
      description: "environment variable that holds the ID token",
    }),
});

/** The place that the fields give, if they give one. */
export function idTokenPlace({
  token_path: path,
  token_env: env,
}: z.infer<typeof idTokenFields>): IdTokenPlace | undefined {
  if (path !== undefined) return { path };
  return env === undefined ? undefined : { env };
}

export interface IdTokenOptions {
  readonly method: JoinMethod;
  /** Instead of what the method knows by itself. */
  readonly place?: IdTokenPlace | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Authorities in PEM, beside the system's, for GitHub's address. */
  readonly ca?: readonly string[];
}

/** The environment variables that a GitLab job may be given its ID token in. */
const GITLAB_ENV = ["TBOT_GITLAB_JWT", "TENON_JWT"] as const;
/** Where the guide has a pod mount its projected service account token. */
const KUBERNETES_PATH = "/var/run/secrets/tokens/join-sa-token";

/** How the platform gives this machine its ID tokens; `undefined` for methods without. */
export function idTokenSource(options: IdTokenOptions): IdTokenSource | undefined {
  const { method, place } = options;
  const source = sources[method];
  if (!source) return undefined;
  return place ? heldAt(place, options) : source(options);
}

/** Whether an ID token is the method's proof. */
export const knowsIdTokens = (method: JoinMethod): boolean => sources[method] !== undefined;

/** What each method knows by itself. */
const sources: Readonly<Partial<Record<JoinMethod, (options: IdTokenOptions) => IdTokenSource>>> = {
  oidc: () => {
    throw badParameter(
      "join method oidc does not know where the ID token is: give oidc.token_path (--id-token-path) or oidc.token_env (--id-token-env)",
    );
  },
  github: (options) => ({
    kind: "on_demand",
    request: (audience, signal) => requestFromGithub(audience, { ...options, signal }),
  }),
  gitlab: ({ env }) => ({
    kind: "held",
    read: async () => firstOf(env, GITLAB_ENV),
  }),
  kubernetes: (options) => heldAt({ path: KUBERNETES_PATH }, options),
};

const heldAt = (place: IdTokenPlace, { env }: IdTokenOptions): IdTokenSource => ({
  kind: "held",
  read: async () => ("path" in place ? await fromFile(place.path) : firstOf(env, [place.env])),
});

function firstOf(env: IdTokenOptions["env"], names: readonly string[]): string {
  const found = names.map((name) => env[name]?.trim()).find((value) => value);
  if (found) return found;
  throw notFound(
    `there is no ID token in the environment variable ${names.join(" or ")}; have the job's definition put one there, for the cluster as its audience`,
  );
}

/** More than any ID token has: what is longer was not meant. */
const MAX_FILE_BYTES = 64 * 1024;

/** Read anew each time: whoever put it there replaces it before it expires. */
async function fromFile(path: string): Promise<string> {
  const text = await readStart(path).catch((error: unknown) => {
    throw fileError(`cannot read the ID token from "${path}"`, error);
  });
  if (text.length > MAX_FILE_BYTES)
    throw badParameter(`the file "${path}" is over ${MAX_FILE_BYTES} bytes; it holds no ID token`);
  if (text.trim() !== "") return text.trim();
  throw badParameter(`the file "${path}", which should hold the ID token, is empty`);
}

async function readStart(path: string): Promise<string> {
  await using file = await open(path);
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, size, buffer.length - size);
    size += bytesRead;
    if (bytesRead === 0 || size === buffer.length) return buffer.toString("latin1", 0, size);
  }
}

/** GitHub answers in well under a second, or not at all. */
const GITHUB_MS = 5_000;
/** A job joins once: it should not fail for one answer that went astray. */
const GITHUB_TRIES = 3;
const GITHUB_PAUSE_MS = 1_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const answer = z.object({ value: z.string().min(1) });

/** docs.github.com, "Updating your actions for OIDC": the two variables and the query. */
async function requestFromGithub(
  audience: string,
  options: IdTokenOptions & { readonly signal: AbortSignal },
): Promise<string> {
  const address = githubVariable(options, "ACTIONS_ID_TOKEN_REQUEST_URL");
  const token = githubVariable(options, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  const url = URL.parse(address);
  if (!url) throw badParameter("ACTIONS_ID_TOKEN_REQUEST_URL does not hold an address");
  url.searchParams.set("audience", audience);
  for (let turn = 1; ; turn++) {
    try {
      return await askOnce(url.href, token, options);
    } catch (error) {
      if (turn === GITHUB_TRIES || !isPassing(error)) throw error;
      await sleep(options.clock, GITHUB_PAUSE_MS, options.signal);
    }
  }
}

async function askOnce(
  address: string,
  token: string,
  { clock, ca = [], signal }: IdTokenOptions & { readonly signal: AbortSignal },
): Promise<string> {
  const document = await getJson(address, {
    clock,
    ca,
    signal,
    timeoutMs: GITHUB_MS,
    maxBytes: MAX_ANSWER_BYTES,
    headers: { authorization: `Bearer ${token}` },
  });
  const parsed = answer.safeParse(document);
  if (parsed.success) return parsed.data.value;
  throw unavailable("GitHub's answer to the request for an ID token holds none");
}

const isPassing = (error: unknown): boolean =>
  error instanceof CodedError && (error.code === "unavailable" || error.code === "timed_out");

function githubVariable({ env }: IdTokenOptions, name: string): string {
  const value = env[name];
  if (value) return value;
  throw notFound(
    `${name} is not set, so this job cannot get an ID token; give the job the permission "id-token: write"`,
  );
}
