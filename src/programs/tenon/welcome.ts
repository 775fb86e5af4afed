import { caPins } from "#domain/authority";
import type { Cluster } from "./cluster.ts";

const FIRST_USER = "admin";

/** What an operator sees at the first start: what was made, and what to do next. */
export async function welcome(cluster: Cluster, dataDir: string): Promise<string> {
  const { authorities, proxy } = cluster;
  const [pin] = caPins(authorities.trust());
  const url = await cluster.inviteFirstUser(FIRST_USER);
  return `
Created the cluster "${authorities.clusterName}": its authorities, its roles and a self-signed web
certificate, all in ${dataDir}

  address   ${proxy.publicAddr}
  CA pin    ${pin}

Next:
  sign in as "${FIRST_USER}"           ${url}
                              (a secret, good once and for three days)
  let a machine join          tctl --data-dir ${dataDir} bots add robot --roles=access
  let an application agent    tctl --data-dir ${dataDir} tokens add --type=app
  see what there is           tctl --data-dir ${dataDir} status

`;
}
