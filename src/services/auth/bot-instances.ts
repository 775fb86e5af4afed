import { credentialsEnd, credentialsEndKey, fromItem, readPage } from "#domain/resources";
import type { BotInstance, PageTokens } from "#domain/resources";
import type { ListBotInstancesRequest } from "@tenon/api/tenon/auth/v1/auth";
import { oneOf } from "./one-of.ts";
import type { AuthParts } from "./parts.ts";

/** How long an instance counts as recent after its credentials ended. */
const RECENT_MS = 24 * 3_600_000;

type Parts = Pick<AuthParts, "store" | "clock"> & { readonly tokens: PageTokens };

/** The latest end of credentials first: one range of an index, whatever else the bot ever was. */
export async function listBotInstances(
  { store, clock, tokens }: Parts,
  request: Omit<ListBotInstancesRequest, "$typeName">,
): Promise<{ instances: string[]; nextPageToken: string }> {
  const { bot } = request;
  const state = oneOf("state", request.state, ["active", "recent"]);
  const at = (ms: number): string => credentialsEndKey(bot, new Date(ms).toISOString());
  const now = clock.now();
  const bounds =
    state === "active" ? { from: at(now) } : { from: at(now - RECENT_MS), to: at(now) };
  const prefix = credentialsEndKey(bot, "");
  const { values, nextPageToken = "" } = await readPage({
    store,
    tokens,
    binding: ["bot_instances", bot, state],
    range: {
      kind: "bot_instance",
      index: "credentials_end",
      order: "descending",
      prefix,
      ...bounds,
    },
    keyOf: (item) => credentialsEndKey(bot, credentialsEnd(fromItem(item) as BotInstance)),
    read: (item) => JSON.stringify(fromItem(item)),
    pageSize: request.pageSize,
    pageToken: request.pageToken,
  });
  return { instances: [...values], nextPageToken };
}
