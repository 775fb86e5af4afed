import {
  aborted,
  codeOf,
  messageOf,
  runRepeatedly,
  type AclPolicy,
  type Backoff,
} from "#base/kernel";
import { serveLocal } from "#base/local";
import type { NamedConfiguration, ServiceDependencies } from "../service-type.ts";
import type { Report } from "../supervisor.ts";

/** A path that another process holds may be free soon. */
const RETRY: Backoff = { firstMs: 1_000, maxMs: 15_000 };

export interface CredentialApi {
  readonly configuration: NamedConfiguration &
    Pick<AclPolicy, "readers" | "acls"> & {
      readonly path: string;
      readonly roles: readonly string[];
      readonly max_ttl: string;
    };
  readonly dependencies: ServiceDependencies;
}

/**
 * Serves the socket until the signal aborts; healthy once the bot has an identity to give from.
 * Rejects where only another configuration can help.
 */
export async function credentialApi(
  options: CredentialApi & { readonly signal: AbortSignal; readonly report: Report },
): Promise<void> {
  const { dependencies, signal, report } = options;
  const hopeless = new AbortController();
  const either = AbortSignal.any([signal, hopeless.signal]);
  await runRepeatedly({
    ...dependencies,
    signal: either,
    intervalMs: RETRY.maxMs,
    retry: RETRY,
    run: async () => await serve(options),
    onFailure: (error) => {
      if (codeOf(error) === "bad_parameter") return hopeless.abort(error);
      dependencies.log.warn("cannot serve the socket", { error });
      report("unhealthy", messageOf(error));
    },
  });
  if (hopeless.signal.aborted && !signal.aborted) throw hopeless.signal.reason;
}

async function serve({
  configuration,
  dependencies,
  signal,
  report,
}: Parameters<typeof credentialApi>[0]): Promise<void> {
  const { path, readers, acls } = configuration;
  const { identity, clock, log } = dependencies;
  // Bots without sockets do without it.
  const { credentialRoutes } = await import("./routes.ts");
  const routes = credentialRoutes({ configuration, dependencies });
  await using _server = await serveLocal({ path, readers, acls, routes, clock, log });
  log.info("serving credentials", { path, roles: configuration.roles });
  await identity.ready(signal);
  report("healthy");
  await aborted(signal);
}
