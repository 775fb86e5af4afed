import {
  aborted,
  codeOf,
  messageOf,
  runRepeatedly,
  type AclPolicy,
  type Backoff,
} from "#base/kernel";
import { serveLocal, type LocalServerOptions } from "#base/local";
import type { ServiceDependencies } from "./service-type.ts";
import type { Report } from "./supervisor.ts";

/** A socket that is another's now may be free soon: a bot that is replaced takes a moment to end. */
const RETRY: Backoff = { firstMs: 1_000, maxMs: 15_000 };

interface Served extends Pick<AclPolicy, "readers" | "acls"> {
  readonly path: string;
  readonly routes: () => Promise<LocalServerOptions["routes"]>;
  readonly dependencies: ServiceDependencies;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** The socket is there; healthy when this resolves. */
  readonly onServing: () => Promise<void> | void;
}

/**
 * Serves a local API until the signal aborts, and tries again where it cannot. Rejects when only
 * another configuration can help.
 */
export async function keepServing(served: Served): Promise<void> {
  const { dependencies, signal, report } = served;
  const hopeless = new AbortController();
  await runRepeatedly({
    ...dependencies,
    signal: AbortSignal.any([signal, hopeless.signal]),
    intervalMs: RETRY.maxMs,
    retry: RETRY,
    run: async () => await serve(served),
    onFailure: (error, delayMs) => {
      if (codeOf(error) === "bad_parameter") return hopeless.abort(error);
      const retryMs = Math.round(delayMs);
      dependencies.log.warn("cannot serve the socket, will try again", { error, retryMs });
      report("unhealthy", messageOf(error));
    },
  });
  if (hopeless.signal.aborted && !signal.aborted) throw hopeless.signal.reason;
}

async function serve(served: Served): Promise<void> {
  const { path, readers, acls, dependencies, signal, report, onServing } = served;
  const { clock, log } = dependencies;
  const routes = await served.routes();
  await using _server = await serveLocal({ path, readers, acls, routes, clock, log });
  await onServing();
  report("healthy");
  await aborted(signal);
}
