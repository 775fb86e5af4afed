import { durationMs } from "#base/config";
import { boundSettings, botToken } from "#domain/join";
import type { WebParts } from "./parts.ts";

/** A secret in a page is used at once, or not at all. */
const SECRET_TTL = "1h";

/** How the machine of a new bot proves itself: by a key of its own, or as a job of GitHub. */
export type Joining =
  | { readonly method: "bound_keypair" }
  | { readonly method: "github"; readonly repository: string };

/** The token of a new bot, by the bot's name. */
export function tokenOf(bot: string, joining: Joining, { clock }: Pick<WebParts, "clock">): object {
  const until = new Date(clock.now() + durationMs(SECRET_TTL)).toISOString();
  const about = { bot, name: bot };
  return joining.method === "github"
    ? botToken(about, { github: { allow: [{ repository: joining.repository }] } })
    : botToken(about, { bound_keypair: boundSettings({ until }) });
}
