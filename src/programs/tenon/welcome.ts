import { caPins } from "#domain/authority";
import type { Cluster } from "./cluster.ts";

/** What an operator sees at the first start: what was made, and what to do next. */
export function welcome({ authorities, proxy }: Cluster, dataDir: string): string {
  const [pin] = caPins(authorities.trust());
  return `
Created the cluster "${authorities.clusterName}": its authorities, its roles and a self-signed web
certificate, all in ${dataDir}

  address   ${proxy.publicAddr}
  CA pin    ${pin}

Next:
  let a machine join          tctl --data-dir ${dataDir} bots add robot --roles=access
  let an application agent    tctl --data-dir ${dataDir} tokens add --type=app
  see what there is           tctl --data-dir ${dataDir} status

`;
}
