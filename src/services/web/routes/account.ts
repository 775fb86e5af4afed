import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { browserOf, type Session } from "#domain/sign-in";
import { answers, newApp, takes } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { originOf, requireFactor, takeCookie } from "../session.ts";
import { passkeyAnswer, passkeyQuestion } from "./sign-in.ts";

const PATH = "/v1/webapi/account";
const one = z.object({ id: z.string() });
const nothing = z.object({});

const show = createRoute({
  method: "get",
  path: PATH,
  responses: answers(
    "how the person signs in; times are RFC 3339, and empty for what was never used",
    z.object({
      user: z.string(),
      password: z.boolean(),
      authenticator: z.object({ used: z.string() }).optional(),
      passkeys: z.array(
        z.object({ id: z.string(), name: z.string(), created: z.string(), used: z.string() }),
      ),
      /** When the second factor was given in this session, and until when it counts. */
      second_factor: z.object({ given: z.string(), until: z.string() }),
    }),
  ),
});

const session = z.object({
  id: z.string(),
  /** The one that asks. */
  current: z.boolean(),
  remote_addr: z.string(),
  /** In words; `agent` is what the browser calls itself. */
  browser: z.string(),
  agent: z.string(),
  began: z.string(),
  used: z.string(),
  ends: z.string(),
});

const listSessions = createRoute({
  method: "get",
  path: `${PATH}/sessions`,
  responses: answers(
    "where the person is signed in, the last used first",
    z.object({ items: z.array(session) }),
  ),
});

const endSession = createRoute({
  method: "delete",
  path: `${PATH}/sessions/{id}`,
  request: { params: one },
  responses: answers("signed out there", nothing),
});

const endOthers = createRoute({
  method: "delete",
  path: `${PATH}/sessions`,
  responses: answers("signed out everywhere else", z.object({ ended: z.number() })),
});

const beginPasskey = createRoute({
  method: "post",
  path: `${PATH}/passkeys/begin`,
  responses: answers("what the browser asks an authenticator for", passkeyQuestion),
});

const addPasskey = createRoute({
  method: "post",
  path: `${PATH}/passkeys`,
  request: takes(z.strictObject({ name: z.string().min(1).max(64), passkey: passkeyAnswer })),
  responses: answers("it signs in from now on", nothing),
});

const removePasskey = createRoute({
  method: "delete",
  path: `${PATH}/passkeys/{id}`,
  request: { params: one },
  responses: answers("it signs in no more", nothing),
});

const beginAuthenticator = createRoute({
  method: "post",
  path: `${PATH}/authenticator`,
  responses: answers(
    "a secret for an authenticator app, which counts once a code of it is given",
    z.object({ challenge_id: z.string(), totp_secret: z.string(), totp_uri: z.string() }),
  ),
});

const setPassword = createRoute({
  method: "put",
  path: `${PATH}/password`,
  request: takes(
    z.strictObject({
      password: z.string().optional(),
      authenticator: z.strictObject({ challenge_id: z.string(), code: z.string() }).optional(),
    }),
  ),
  responses: answers("the person is signed out everywhere else", nothing),
});

const removePassword = createRoute({
  method: "delete",
  path: `${PATH}/password`,
  responses: answers("neither the password nor the authenticator app signs in", nothing),
});

/** A person's own account: where they are signed in, and with what. Nobody else's is in reach. */
export function accountRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  const { signIn } = parts;
  return newApp()
    .openapi(show, async (context) => {
      const session = context.get("session");
      const account = await signIn.accountOf(session);
      const second_factor = factorOf(parts, session);
      const passkeys = [...account.passkeys];
      return context.json({ ...account, passkeys, second_factor }, 200);
    })
    .openapi(listSessions, async (context) => {
      const own = context.get("session");
      const sessions = await signIn.sessions.of(own.user);
      const items = await Promise.all(sessions.map((each) => described(parts, each, own)));
      return context.json({ items }, 200);
    })
    .openapi(endSession, async (context) => {
      const { id } = context.req.valid("param");
      const own = context.get("session");
      await signIn.endOne(own, { id, origin: originOf(context) });
      if (id === own.id) takeCookie(context);
      return context.json({}, 200);
    })
    .openapi(endOthers, async (context) => {
      const ended = await signIn.endOthers(context.get("session"), originOf(context));
      return context.json({ ended }, 200);
    })
    .openapi(beginPasskey, async (context) => {
      requireFactor(parts, context);
      return context.json(await signIn.beginPasskeyOf(context.get("session")), 200);
    })
    .openapi(addPasskey, async (context) => {
      requireFactor(parts, context);
      const { name, passkey: answer } = context.req.valid("json");
      const about = { name, answer, origin: originOf(context) };
      await signIn.addPasskey(context.get("session"), about);
      return context.json({}, 200);
    })
    .openapi(removePasskey, async (context) => {
      requireFactor(parts, context);
      const about = { ...context.req.valid("param"), origin: originOf(context) };
      await signIn.removePasskey(context.get("session"), about);
      return context.json({}, 200);
    })
    .openapi(beginAuthenticator, async (context) => {
      requireFactor(parts, context);
      return context.json(await signIn.beginAuthenticator(context.get("session")), 200);
    })
    .openapi(setPassword, async (context) => {
      requireFactor(parts, context);
      const about = { ...context.req.valid("json"), origin: originOf(context) };
      await signIn.setPassword(context.get("session"), about);
      return context.json({}, 200);
    })
    .openapi(removePassword, async (context) => {
      requireFactor(parts, context);
      await signIn.removePassword(context.get("session"), originOf(context));
      return context.json({}, 200);
    });
}

const timeOf = (ms: number | undefined): string =>
  ms === undefined ? "" : new Date(ms).toISOString();

function factorOf({ signIn }: WebParts, session: Session): { given: string; until: string } {
  const fresh = signIn.sessions.hasFreshFactor(session);
  const until = fresh ? signIn.sessions.factorEnds(session) : undefined;
  return { given: timeOf(session.factor_at), until: timeOf(until) };
}

async function described(
  { signIn }: WebParts,
  each: Session,
  own: Session,
): Promise<z.infer<typeof session>> {
  const { id, remote_addr, agent, began, seen } = each;
  return {
    id,
    current: id === own.id,
    remote_addr,
    browser: await browserOf(agent),
    agent,
    began: timeOf(began),
    used: timeOf(seen),
    ends: timeOf(signIn.sessions.endOf(each)),
  };
}
