import { badParameter, type AclPolicy } from "#base/kernel";
import { socketPath } from "#base/local";
import { BotApiService } from "@tenon/api/tenon/tbot/v1/bot_api";
import { keepServing } from "../keep-serving.ts";
import type { NamedConfiguration, ServiceDependencies } from "../service-type.ts";
import type { Report } from "../supervisor.ts";
import { botApiHandlers } from "./handlers.ts";

export interface BotApi {
  readonly configuration: NamedConfiguration &
    Pick<AclPolicy, "readers" | "acls"> & {
      readonly listen?: string | undefined;
      readonly allowed_types: readonly string[];
      readonly allowed_roles: readonly string[];
    };
  readonly dependencies: ServiceDependencies;
}

/** Serves the bot's API until the signal aborts. */
export async function serveBotApi(
  api: BotApi & { readonly signal: AbortSignal; readonly report: Report },
): Promise<void> {
  const { configuration, dependencies } = api;
  if (configuration.listen === undefined)
    throw badParameter("the API has no socket: give listen, such as unix:///run/bot/api.sock");
  const path = socketPath(configuration.listen);
  const handlers = botApiHandlers(api);
  await keepServing({
    ...api,
    ...configuration,
    path,
    routes: async () => (router) => router.service(BotApiService, handlers),
    onServing: () => dependencies.log.info("takes orders", { address: `unix://${path}` }),
  });
}
