import { aborted, badParameter, codeOf, messageOf, runRepeatedly, type Reader } from "#base/kernel";
import { serveLocal, socketPath } from "#base/local";
import { BotApiService } from "@tenon/api/tenon/tbot/v1/bot_api";
import type { NamedConfiguration, ServiceDependencies } from "../service-type.ts";
import type { Report } from "../supervisor.ts";
import { botApiHandlers } from "./handlers.ts";

export interface BotApiConfiguration extends NamedConfiguration {
  readonly listen?: string | undefined;
  readonly readers: readonly Reader[];
  readonly allowed_types: readonly string[];
  readonly allowed_roles: readonly string[];
}

export interface BotApi {
  readonly configuration: BotApiConfiguration;
  readonly dependencies: ServiceDependencies;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** A socket that is another's now may be free soon: a bot that is replaced takes a moment to end. */
const RETRY = { firstMs: 1_000, maxMs: 30_000 };
/** What does not pass by itself. */
const hopeless: ReadonlySet<string> = new Set(["bad_parameter"]);

/** Serves the bot's API until the signal aborts. Rejects when only another configuration can help. */
export async function serveBotApi(api: BotApi): Promise<void> {
  const { dependencies, signal, report } = api;
  const failed = new AbortController();
  await runRepeatedly({
    ...dependencies,
    signal: AbortSignal.any([signal, failed.signal]),
    intervalMs: RETRY.maxMs,
    retry: RETRY,
    run: async () => await serveOnce(api),
    onFailure: (error, delayMs) => {
      const retryMs = Math.round(delayMs);
      if (hopeless.has(codeOf(error))) return failed.abort(error);
      dependencies.log.warn("cannot serve the bot's API, will try again", { error, retryMs });
      report("unhealthy", messageOf(error));
    },
  });
  if (failed.signal.aborted) throw failed.signal.reason;
}

async function serveOnce(api: BotApi): Promise<void> {
  const { configuration, dependencies, signal, report } = api;
  const { clock, log } = dependencies;
  const { listen, readers } = configuration;
  if (listen === undefined)
    throw badParameter("the API has no socket: give listen, such as unix:///run/bot/api.sock");
  const handlers = botApiHandlers(api);
  await using server = await serveLocal({
    path: socketPath(listen),
    readers,
    // Readers who cannot read are no readers.
    acls: "required",
    routes: (router) => router.service(BotApiService, handlers),
    log,
    clock,
  });
  log.info("takes orders", { address: `unix://${server.path}` });
  report("healthy");
  await aborted(signal);
}
