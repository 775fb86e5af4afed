import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";

const spec = z.strictObject({
  api_server: z
    .url({ protocol: /^https$/, error: "must be an https:// address" })
    .meta({ description: "where its API server is, such as https://10.0.0.1:6443" }),
});

export type KubeCluster = Resource<"kube_cluster", z.infer<typeof spec>>;

/** A Kubernetes cluster. */
export const kubeClusterKind = defineKind<KubeCluster>({
  kind: "kube_cluster",
  version: "v1",
  aliases: ["kube_clusters", "kube", "kubes", "kubernetes"],
  spec,
});
