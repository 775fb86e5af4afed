import {
  CLUSTER_CONFIG_NAME,
  clusterConfigKind,
  type ClusterConfig,
  type Resources,
} from "#domain/resources";

/** The cluster's settings as they are now; the defaults while nothing is stored. */
export async function readSettings(
  resources: Pick<Resources, "get">,
  clusterName: string,
): Promise<ClusterConfig["spec"]> {
  const stored = await resources.get("cluster_config", CLUSTER_CONFIG_NAME);
  return stored?.spec ?? defaultSettings(clusterName);
}

const defaultSettings = (clusterName: string): ClusterConfig["spec"] =>
  clusterConfigKind.schema.parse({
    kind: "cluster_config",
    version: clusterConfigKind.version,
    metadata: { name: CLUSTER_CONFIG_NAME },
    spec: { cluster_name: clusterName },
  }).spec;
