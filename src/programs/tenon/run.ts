import type { CommandIo } from "#base/cli";
import { aborted, systemClock, VERSION } from "#base/kernel";
import { createLogger, Metrics } from "#base/observe";
import { hostname } from "node:os";
import { Context } from "./context.ts";
import type { Settings } from "./settings.ts";
import { welcome } from "./welcome.ts";

/** Runs what the settings say until the first signal, then ends well. */
export async function run(
  settings: Settings,
  io: CommandIo,
  { restored = false }: { readonly restored?: boolean } = {},
): Promise<void> {
  const logger = createLogger({ ...settings.log, sink: io.stderr });
  await using context = await Context.start({
    settings,
    restored,
    hostname: hostname(),
    clock: systemClock,
    random: Math.random,
    logger,
    metrics: new Metrics(),
  });
  const { cluster, diagnostics } = context;
  if (cluster?.isNew) io.stdout.write(await welcome(cluster, settings.dataDir));
  logger.info("ready", {
    version: VERSION,
    ...(cluster ? { cluster: cluster.authorities.clusterName } : {}),
    ...(cluster ? { address: cluster.proxy.publicAddr, port: cluster.proxy.port } : {}),
    ...(diagnostics ? { diagnostics: diagnostics.port } : {}),
  });
  await aborted(io.signal);
  logger.info("stopping: open connections have a little time to end; signal again to end at once");
}
