import { badParameter } from "#base/kernel";
import type { ClusterConfig } from "#domain/resources";
import type { KindRules } from "./kind-rules.ts";

export const clusterConfigRules: KindRules<ClusterConfig> = {
  async prepare({ resource, existing }) {
    const name = existing?.spec.cluster_name ?? resource.spec.cluster_name;
    if (resource.spec.cluster_name !== name)
      throw badParameter(
        `spec.cluster_name: the cluster is "${name}", and its authorities and certificates say so; it cannot become "${resource.spec.cluster_name}"`,
      );
    return { resource };
  },
  async remove() {
    throw badParameter("the cluster_config cannot be deleted; edit it");
  },
};
