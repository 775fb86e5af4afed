import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import type { WebEnv, WebParts } from "../parts.ts";
import { answers, newApp, takes } from "../openapi.ts";
import { letIn, originOf, signedIn, takeCookie } from "../session.ts";
import type { WebIdentities } from "../identities.ts";

export const passkeyAnswer = z.strictObject({ challenge_id: z.string(), response: z.unknown() });
export const passkeyQuestion = z.object({ challenge_id: z.string(), options: z.unknown() });
const done = z.object({ user: z.string() });
const token = z.object({ token: z.string() });

const showInvitation = createRoute({
  method: "get",
  path: "/v1/webapi/invitations/{token}",
  request: { params: token },
  responses: answers(
    "whom the link is for, and the secret for an authenticator app",
    z.object({
      user: z.string(),
      purpose: z.string(),
      cluster: z.string(),
      expires: z.string(),
      totp_uri: z.string(),
      totp_secret: z.string(),
    }),
  ),
});

const beginInvitationPasskey = createRoute({
  method: "post",
  path: "/v1/webapi/invitations/{token}/passkey",
  request: { params: token },
  responses: answers("what the browser asks an authenticator for", passkeyQuestion),
});

const acceptInvitation = createRoute({
  method: "post",
  path: "/v1/webapi/invitations/{token}",
  request: {
    params: token,
    ...takes(
      z.strictObject({
        password: z.string().optional(),
        code: z.string().optional(),
        passkey: passkeyAnswer.optional(),
      }),
    ),
  },
  responses: answers("signed in", done),
});

const enterWithPassword = createRoute({
  method: "post",
  path: "/v1/webapi/sessions",
  request: takes(z.strictObject({ user: z.string(), password: z.string(), code: z.string() })),
  responses: answers("signed in", done),
});

const beginPasskey = createRoute({
  method: "post",
  path: "/v1/webapi/sessions/passkey/begin",
  responses: answers("what the browser asks an authenticator for", passkeyQuestion),
});

const enterWithPasskey = createRoute({
  method: "post",
  path: "/v1/webapi/sessions/passkey",
  request: takes(passkeyAnswer),
  responses: answers("signed in", done),
});

const leave = createRoute({
  method: "delete",
  path: "/v1/webapi/sessions",
  responses: answers("signed out, here", z.object({})),
});

const leaveEverywhere = createRoute({
  method: "delete",
  path: "/v1/webapi/sessions/all",
  responses: answers("signed out, everywhere", z.object({})),
});

const beginFactor = createRoute({
  method: "post",
  path: "/v1/webapi/mfa/begin",
  responses: answers(
    "what this person can be asked for",
    z.object({ totp: z.boolean(), passkey: passkeyQuestion.optional() }),
  ),
});

const giveFactor = createRoute({
  method: "post",
  path: "/v1/webapi/mfa",
  request: takes(
    z.strictObject({ code: z.string().optional(), passkey: passkeyAnswer.optional() }),
  ),
  responses: answers("verified for some minutes, in this session", z.object({})),
});

/** Invitations, sign-in and sign-out, and the second factor for the actions of administrators. */
export function signInRoutes(parts: WebParts, identities: WebIdentities): OpenAPIHono<WebEnv> {
  const { signIn } = parts;
  const app = newApp();
  const session = signedIn(parts, identities);
  app.use(leave.path, async (context, next) =>
    context.req.method === "DELETE" ? session(context, next) : next(),
  );
  for (const { path } of [leaveEverywhere, beginFactor, giveFactor]) app.use(path, session);
  return app
    .openapi(showInvitation, async (context) => {
      const found = await signIn.openInvitation(context.req.valid("param").token);
      const { user, purpose, totp_secret, totpUri: totp_uri } = found;
      const expires = new Date(found.expires).toISOString();
      const cluster = parts.authorities.clusterName;
      return context.json({ user, purpose, cluster, expires, totp_secret, totp_uri }, 200);
    })
    .openapi(beginInvitationPasskey, async (context) =>
      context.json(await signIn.beginRegistration(context.req.valid("param").token), 200),
    )
    .openapi(acceptInvitation, async (context) => {
      const { token } = context.req.valid("param");
      const answer = context.req.valid("json");
      const entered = await signIn.accept({ token, answer, origin: originOf(context) });
      return context.json(letIn(context, entered), 200);
    })
    .openapi(enterWithPassword, async (context) => {
      const given = context.req.valid("json");
      const entered = await signIn.enterWithPassword(given, originOf(context));
      return context.json(letIn(context, entered), 200);
    })
    .openapi(beginPasskey, async (context) => context.json(await signIn.beginPasskey(), 200))
    .openapi(enterWithPasskey, async (context) => {
      const answer = context.req.valid("json");
      const entered = await signIn.enterWithPasskey(answer, originOf(context));
      return context.json(letIn(context, entered), 200);
    })
    .openapi(leave, async (context) => {
      await signIn.leave(context.get("session"), originOf(context));
      takeCookie(context);
      return context.json({}, 200);
    })
    .openapi(leaveEverywhere, async (context) => {
      await signIn.endAll(context.get("session").user, originOf(context));
      takeCookie(context);
      return context.json({}, 200);
    })
    .openapi(beginFactor, async (context) =>
      context.json(await signIn.beginFactor(context.get("session")), 200),
    )
    .openapi(giveFactor, async (context) => {
      const answer = context.req.valid("json");
      await signIn.giveFactor(context.get("session"), { answer, origin: originOf(context) });
      return context.json({}, 200);
    });
}
