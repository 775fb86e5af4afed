import { VERSION, type Clock } from "#base/kernel";
import { LiveConnections, ReverseTunnelPool, RouteServer } from "#services/tunnel";
import { AppAccess } from "./app-access.ts";
import { AppGate } from "./app-gate.ts";
import { openCertificates } from "./certificates.ts";
import type { ClusterView } from "./cluster-view.ts";
import { openView } from "./follow-cluster.ts";
import { portLimits } from "./limits.ts";
import { measure, type Open } from "./measure.ts";
import { Names } from "./names.ts";
import { pages } from "./pages.ts";
import { TlsPort, type Refusal } from "./port.ts";
import type { ProxyOptions } from "./proxy.ts";
import { RefusalLog } from "./refusal-log.ts";
import { routes } from "./routes.ts";
import { WebServer } from "./web.ts";

/** The parts of a proxy that others speak to. */
export interface Parts {
  readonly clock: Clock;
  readonly port: TlsPort;
  readonly web: WebServer;
  readonly pool: ReverseTunnelPool;
  readonly routed: RouteServer;
  readonly apps: AppAccess;
}

/** Builds them all; what is built later is disposed earlier. */
export async function assemble(
  options: ProxyOptions,
  address: { readonly publicAddr: string },
  owned: AsyncDisposableStack,
): Promise<Parts> {
  const view = await openView(options, owned);
  const certificates = await openCertificates(options, owned);
  const tunnels = openTunnels(options, view, owned);
  const web = owned.use(webServer(options, address));
  const { clock, logger, authorities } = options;
  const refused = refusalSink(options, () => ({
    ...port.open,
    agents: tunnels.pool.hostIds.length,
    tunnelled: tunnels.pool.openConnections,
  }));
  const port: TlsPort = owned.use(
    new TlsPort({
      routes: routes({ ...tunnels, names: namesOf(options, view), rpc: options.rpc, web, refused }),
      certificates,
      verifier: authorities.verifier,
      limits: { ...portLimits, ...options.limits },
      clock,
      logger,
      refused,
    }),
  );
  owned.use(onTrust(authorities, () => port.forgetSessions()));
  return { clock, port, web, ...tunnels };
}

/** Calls when other authorities are trusted, or others sign, than before. */
function onTrust(
  authorities: Pick<ProxyOptions["authorities"], "trust" | "onChange">,
  changed: () => void,
): Disposable {
  let known = authorities.trust();
  return authorities.onChange(() => {
    if (authorities.trust() === known) return;
    known = authorities.trust();
    changed();
  });
}

function openTunnels(
  { clock, logger, locks, audit }: ProxyOptions,
  view: ClusterView,
  owned: AsyncDisposableStack,
): Pick<Parts, "pool" | "routed" | "apps"> {
  const live = owned.use(new LiveConnections({ clock, locks }));
  const pool = owned.use(new ReverseTunnelPool({ clock, logger, live }));
  const routed = owned.use(new RouteServer({ clock, logger, live }));
  const gate = new AppGate({ view, locks, clock });
  const apps = new AppAccess({ gate, view, pool, routed, live, audit, clock, logger });
  return { pool, routed, apps };
}

function webServer(
  { authorities, logger, web }: ProxyOptions,
  address: { readonly publicAddr: string },
): WebServer {
  const facts = {
    clusterName: authorities.clusterName,
    version: VERSION,
    publicAddr: () => address.publicAddr,
    trust: () => authorities.trust(),
  };
  return new WebServer({ pages: pages(facts), endpoints: web, logger });
}

const namesOf = ({ authorities, publicAddr }: ProxyOptions, view: ClusterView): Names =>
  new Names({
    clusterName: authorities.clusterName,
    publicHost: publicAddr.host,
    appAt: (host) => view.appAt(host),
  });

/** Counts and tells of everyone who is turned away. */
function refusalSink(
  { metrics, audit, clock }: ProxyOptions,
  open: () => Open,
): (refusal: Refusal) => void {
  const count = measure(metrics, open);
  const log = new RefusalLog(audit, clock);
  return (refusal) => {
    count(refusal);
    log.refused(refusal);
  };
}
