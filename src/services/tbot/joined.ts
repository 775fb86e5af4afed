import { unavailable } from "#base/kernel";
import { BOT_IDENTITY } from "./names.ts";
import type { ServiceDependencies } from "./service-type.ts";

/** `unavailable`, with the reason: a call to the cluster would fail too, or wait, but could not say why. */
export function checkJoined({
  identity,
  control,
  clock,
}: Pick<ServiceDependencies, "identity" | "control" | "clock">): void {
  if (identity.expires > clock.now()) return;
  const { reason } = control.status(BOT_IDENTITY);
  const state =
    identity.expires === 0
      ? "the bot has not joined the cluster yet"
      : `the bot's own identity ended at ${new Date(identity.expires).toISOString()}`;
  throw unavailable(reason === undefined ? `${state}; try again` : `${state}: ${reason}`);
}
