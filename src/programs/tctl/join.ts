import { unavailable } from "#base/kernel";
import type { Entry } from "#domain/join";
import type { Cluster } from "./connect.ts";

export async function entryOf(cluster: Cluster): Promise<Entry> {
  const { proxyPublicAddr, caPins } = await cluster.auth.getStatus({});
  if (!proxyPublicAddr)
    throw unavailable("the cluster has no proxy yet that a machine could join through");
  return { address: proxyPublicAddr, caPins };
}
