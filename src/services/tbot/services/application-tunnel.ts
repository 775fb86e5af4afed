import type { Socket } from "node:net";
import { generateKeyPair } from "#base/crypto";
import { durationMs } from "#base/config";
import { codeOf, messageOf } from "#base/kernel";
import { pipeDuplex, cut, type PipeCounts } from "#base/wire";
import { RouteClient } from "#services/tunnel";
import * as z from "zod";
import { appName, commonFields, listen, roles } from "../fields.ts";
import type { OutputCredentials } from "../identity.ts";
import { openListener } from "../listen.ts";
import { renew } from "../renewal.ts";
import { lockTargets, tlsCredentials } from "../route-credentials.ts";
import {
  defineServiceType,
  type NamedConfiguration,
  type ServiceDependencies,
} from "../service-type.ts";
import type { Report } from "../supervisor.ts";

const schema = z.strictObject({
  type: z
    .literal("application-tunnel")
    .meta({ flag: false, valueAliases: { "app-tunnel": "application-tunnel" } }),
  ...commonFields,
  app_name: appName,
  listen,
  roles,
});

/** Connections that are open when the service stops have this long to end. */
const DRAIN_MS = 5_000;

/** A local port on which any program reaches one application, without credentials of its own. */
export const applicationTunnelService = defineServiceType({
  shortName: "app-tunnel",
  summary: "a local port that leads to one application",
  schema,
  create: (configuration, dependencies) => ({
    name: configuration.name,
    type: configuration.type,
    run: async ({ signal, report }) =>
      await runTunnel({ configuration, dependencies, signal, report }),
  }),
});

interface Tunnel {
  readonly configuration: z.output<typeof schema> & NamedConfiguration;
  readonly dependencies: ServiceDependencies;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** Healthy once the port is open, a certificate is there, and a session with the proxy has carried it. */
async function runTunnel({ configuration, dependencies, signal, report }: Tunnel): Promise<void> {
  const { identity, clock, log, live } = dependencies;
  const key = generateKeyPair("ecdsa-p256");
  let credentials: OutputCredentials | undefined;
  const route = new RouteClient({
    address: () => identity.address,
    credentials: () => tlsCredentials(credentials!),
    clock,
    logger: log,
    live,
    targets: () => (credentials ? lockTargets(credentials) : []),
  });
  await using _route = route;
  using listener = await openListener(
    configuration.listen,
    (socket) => void carry({ socket, route, configuration, dependencies }),
  );
  log.info("listening", { address: listener.address, app: configuration.app_name });
  await renew({
    configuration,
    dependencies,
    signal,
    report,
    task: "renew-certificate",
    run: async () => {
      credentials = await identity.issue(
        { ...requestOf(configuration, dependencies), key },
        signal,
      );
      route.renew();
      await route.ready(signal);
    },
  });
  await route.drain(DRAIN_MS);
}

function requestOf(
  { app_name, roles, credential_ttl: ttl }: Tunnel["configuration"],
  { defaults }: ServiceDependencies,
) {
  const ttlMs = ttl === undefined ? defaults.credentialTtlMs : durationMs(ttl);
  return { appName: app_name, roles, ttlMs, allowReissue: false, ssh: false };
}

/** One connection from its accept to its end. A refusal is logged; the program sees a reset. */
async function carry(carried: {
  socket: Socket;
  route: RouteClient;
  configuration: NamedConfiguration;
  dependencies: ServiceDependencies;
}): Promise<void> {
  const { socket, route, configuration, dependencies } = carried;
  const { tunnels, log } = dependencies;
  const counts: PipeCounts = { aToB: 0, bToA: 0 };
  socket.on("error", () => {});
  tunnels.opened(configuration.name);
  try {
    const piped = pipeDuplex(socket, await route.connect({ early: true }), counts);
    socket.resume();
    await piped;
  } catch (error) {
    cut(socket, error instanceof Error ? error : new Error(messageOf(error)));
    log.warn("connection ended early", { error, code: codeOf(error) });
  } finally {
    tunnels.closed(configuration.name, { up: counts.aToB, down: counts.bToA });
  }
}
