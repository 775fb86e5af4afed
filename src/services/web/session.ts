import { accessDenied } from "#base/kernel";
import { SignedOut, type Entered, type Origin } from "#domain/sign-in";
import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { FactorRequired } from "./errors.ts";
import type { WebIdentities } from "./identities.ts";
import type { WebEnv, WebParts } from "./parts.ts";

/** The prefix makes browsers refuse it without Secure, with a Domain, or from another path (RFC 6265bis). */
const COOKIE = "__Host-tenon";
const cookieOptions = {
  path: "/",
  httpOnly: true,
  secure: true,
  sameSite: "Strict",
} as const;

const unsafe = (method: string): boolean => !["GET", "HEAD", "OPTIONS"].includes(method);

/** What changes something comes from our own page: browsers say which (Fetch standard, Origin). */
export const checkOrigin: MiddlewareHandler<WebEnv> = async (context, next) => {
  const from = context.req.header("origin");
  const own = `https://${context.req.header("host") ?? ""}`;
  if (unsafe(context.req.method) && from !== own)
    throw accessDenied(
      `this request comes from "${from ?? "no page"}", and only ${own} may make it`,
    );
  await next();
};

/** A page says so of what it asks by itself while nobody is at it: that keeps no session open. */
const UNATTENDED = "tenon-unattended";

/** Finds the session, and the certificate with which its person makes calls. */
export function signedIn(parts: WebParts, identities: WebIdentities): MiddlewareHandler<WebEnv> {
  return async (context, next) => {
    const secret = getCookie(context, COOKIE);
    if (!secret) throw new SignedOut("you are not signed in");
    const stream = context.req.header("accept") === "text/event-stream";
    const use = !stream && context.req.header(UNATTENDED) === undefined;
    const { session, user } = await parts.signIn.authenticate(secret, { use });
    context.set("session", session);
    context.set("certificate", identities.certificateOf(user));
    await next();
  };
}

/** An action of an administrator: a second factor must have been given lately, in this session. */
export function requireFactor({ signIn }: WebParts, context: Context<WebEnv>): void {
  if (!signIn.sessions.hasFreshFactor(context.get("session"))) throw new FactorRequired();
}

/** Gives the cookie. */
export function letIn(context: Context<WebEnv>, { user, secret }: Entered): { user: string } {
  setCookie(context, COOKIE, secret, cookieOptions);
  return { user };
}

export const takeCookie = (context: Context<WebEnv>): void => {
  deleteCookie(context, COOKIE, cookieOptions);
};

/** Where a request comes from, for throttling and the audit log. */
export const originOf = (context: Context<WebEnv>): Origin => ({
  remoteAddr: context.env.incoming.socket.remoteAddress ?? "",
  agent: context.req.header("user-agent") ?? "",
});
