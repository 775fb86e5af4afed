import type { Clock } from "#base/kernel";
import { ClusterClient, parseAddress } from "#services/enrolment";
import { pemOf, type GeneratedIdentity } from "./credentials.ts";

const DEFAULT_PROXY_PORT = 3080;

/** The cluster's API, called as this identity. */
export function clusterClient(identity: GeneratedIdentity, clock: Clock): ClusterClient {
  return new ClusterClient({
    address: parseAddress(identity.proxyAddress, DEFAULT_PROXY_PORT),
    trust: identity.trust,
    certificate: pemOf(identity),
    clock,
  });
}
