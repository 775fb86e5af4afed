import { randomToken } from "#base/crypto";
import type { Clock } from "#base/kernel";
import { caPins } from "#domain/authority";
import { tokenKind, writeOf } from "#domain/resources";
import type { Address } from "#services/enrolment";
import type { AgentOptions } from "./agent.ts";
import type { Cluster } from "./cluster.ts";
import type { ListenAddress } from "./settings.ts";

/** An agent in the cluster's own process joins within seconds. */
const TOKEN_LIFE_MS = 10 * 60_000;
const ANY_ADDRESS: ReadonlySet<string> = new Set(["::", "0.0.0.0"]);

/** How an agent in the cluster's own process reaches it: over the wire, like any other. */
export function localCluster(
  cluster: Cluster,
  listen: ListenAddress,
  clock: Clock,
): Pick<AgentOptions, "address" | "caPins" | "token"> {
  return {
    address: localAddress(listen, cluster.proxy.port),
    caPins: caPins(cluster.authorities.trust()),
    token: () => makeToken(cluster, clock),
  };
}

const localAddress = ({ host }: ListenAddress, port: number): Address => ({
  host: ANY_ADDRESS.has(host) ? "127.0.0.1" : host,
  port,
});

async function makeToken({ store }: Cluster, clock: Clock): Promise<string> {
  const name = randomToken();
  const token = tokenKind.schema.parse({
    kind: tokenKind.kind,
    version: tokenKind.version,
    metadata: { name, expires: new Date(clock.now() + TOKEN_LIFE_MS).toISOString() },
    spec: { roles: ["App"], join_method: "token" },
  });
  await store.commit([writeOf(token, "create")]);
  return name;
}
