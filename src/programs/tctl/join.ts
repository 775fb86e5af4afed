import { unavailable } from "#base/kernel";
import { formatJoinUri, type JoinMethod } from "#domain/join";
import type { Token } from "#domain/resources";
import { parseAddress } from "#services/enrolment";
import type { Cluster } from "./connect.ts";

const DEFAULT_PROXY_PORT = 3080;

/** Where machines come in, and how they know that it is the right cluster. */
export interface Entry {
  /** `host:port` */
  readonly address: string;
  readonly caPins: readonly string[];
}

export async function entryOf(cluster: Cluster): Promise<Entry> {
  const { proxyPublicAddr, caPins } = await cluster.auth.getStatus({});
  if (!proxyPublicAddr)
    throw unavailable("the cluster has no proxy yet that a machine could join through");
  return { address: proxyPublicAddr, caPins };
}

/** What a machine joins with by this token, the secret included where there is one. */
export function uriOf(entry: Entry, { metadata, spec, status }: Token): string {
  const secret = status?.bound_keypair?.registration_secret;
  return joinUri(entry, {
    method: spec.join_method,
    token: metadata.name,
    ...(secret ? { parameter: secret } : {}),
  });
}

function joinUri(
  entry: Entry,
  token: { method: JoinMethod; token: string; parameter?: string },
): string {
  const address = parseAddress(entry.address, DEFAULT_PROXY_PORT);
  return formatJoinUri({ via: "proxy", ...token, ...address, caPins: entry.caPins });
}
