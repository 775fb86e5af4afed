import { durationMs } from "#base/config";
import { caPins } from "#domain/authority";
import { formatJoinUri } from "#domain/join";
import type { Token } from "#domain/resources";
import { parseAddress } from "#services/enrolment";
import type { WebParts } from "./parts.ts";

/** A secret in a page is used at once, or not at all. */
const SECRET_TTL = "1h";
const DEFAULT_PORT = 3080;

/** How the machine of a new bot proves itself: by a key of its own, or as a job of GitHub. */
export type Joining =
  | { readonly method: "bound_keypair" }
  | { readonly method: "github"; readonly repository: string };

/** The token of a new bot, by the bot's name. */
export function tokenOf(bot: string, joining: Joining, { clock }: Pick<WebParts, "clock">): object {
  const until = new Date(clock.now() + durationMs(SECRET_TTL)).toISOString();
  const { method } = joining;
  const how =
    joining.method === "github"
      ? { github: { allow: [{ repository: joining.repository }] } }
      : { bound_keypair: { onboarding: { must_register_before: until }, recovery: {} } };
  return {
    kind: "token",
    version: "v2",
    metadata: { name: bot },
    spec: { roles: ["Bot"], bot_name: bot, join_method: method, ...how },
  };
}

/** What the machine is given; it holds the secret, where there is one. */
export function joinUriOf({ authorities, publicAddr }: WebParts, token: Token): string {
  const secret = token.status?.bound_keypair?.registration_secret;
  return formatJoinUri({
    via: "proxy",
    method: token.spec.join_method,
    token: token.metadata.name,
    ...(secret ? { parameter: secret } : {}),
    ...parseAddress(publicAddr(), DEFAULT_PORT),
    caPins: caPins(authorities.trust()),
  });
}
