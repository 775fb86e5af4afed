import { CodedError, codeOf, messageOf, type ErrorCode, type Logger } from "#base/kernel";
import { SignedOut } from "#domain/sign-in";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";

/** What every endpoint answers when it refuses: the code that the RPC and the audit log have too. */
export const errorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    /** The action needs a fresh second factor: ask for one, then repeat the call. */
    requires_mfa: z.boolean().optional(),
    /** There is no session any more; the message says why. */
    signed_out: z.boolean().optional(),
  }),
  /** Of a path that this version does not have. */
  proxyVersion: z.string().optional(),
});
export type ErrorBody = z.infer<typeof errorBody>;

const statuses: Record<ErrorCode, ContentfulStatusCode> = {
  not_found: 404,
  already_exists: 409,
  bad_parameter: 400,
  access_denied: 403,
  unauthenticated: 401,
  compare_failed: 409,
  limit_exceeded: 429,
  unavailable: 503,
  timed_out: 504,
  canceled: 499 as ContentfulStatusCode,
  internal: 500,
};

/** An action of an administrator without a fresh second factor. */
export class FactorRequired extends CodedError {
  constructor() {
    super("access_denied", "this action needs a second factor; verify, and it is done");
  }
}

export function answerError(context: Context, error: unknown, logger: Logger): Response {
  const code = codeOf(error);
  if (code === "internal") {
    logger.error("a web endpoint failed", { path: context.req.path, error });
    return context.json(bodyOf(code, "the cluster could not answer; see its log"), 500);
  }
  const body = bodyOf(code, messageOf(error));
  if (error instanceof FactorRequired) body.error.requires_mfa = true;
  if (error instanceof SignedOut) body.error.signed_out = true;
  return context.json(body, statuses[code]);
}

export const bodyOf = (code: ErrorCode, message: string): ErrorBody => ({
  error: { code, message },
});
