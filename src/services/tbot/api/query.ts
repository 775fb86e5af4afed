import type { OpenResource } from "@tenon/api/tenon/auth/v1/auth";
import type { QueryRequest } from "@tenon/api/tenon/tbot/v1/bot_api";
import { badParameter } from "#base/kernel";
import { checkJoined } from "../joined.ts";
import type { BotApi } from "./serve.ts";

/** What a query calls them, and what the cluster does. */
const kinds: Readonly<Record<string, string>> = {
  nodes: "node",
  apps: "app",
  databases: "db",
  kube: "kube_cluster",
};
const PAGE = 500;
/** A list for people and scripts, in one message. */
const MAX_RESULTS = 10_000;

/** What the bot's roles open (or those of them that the socket allows). */
export async function queryOpen(
  { configuration, dependencies }: BotApi,
  { kind, labels }: QueryRequest,
  signal: AbortSignal,
) {
  const wanted = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (wanted === undefined)
    throw badParameter(`"${kind}" cannot be queried; there are ${Object.keys(kinds).join(", ")}`);
  const { identity } = dependencies;
  checkJoined(dependencies);
  const results: ReturnType<typeof resultOf>[] = [];
  const roles = [...configuration.allowed_roles];
  for (let pageToken = ""; ;) {
    const page = await identity.client.auth.listOpen(
      { kind: wanted, labels, roles, pageSize: PAGE, pageToken },
      { signal },
    );
    results.push(...page.resources.map(resultOf));
    pageToken = page.nextPageToken;
    if (pageToken === "") return { results };
    if (results.length > MAX_RESULTS)
      throw badParameter(`over ${MAX_RESULTS} results; ask for fewer with labels`);
  }
}

const resultOf = ({ name, labels, description, address, hostname }: OpenResource) => ({
  name,
  labels,
  description,
  address,
  hostname,
});
