import { duration } from "#base/config";
import { z } from "zod";
import { defineKind, type Resource } from "./kind.ts";

const spec = z.strictObject({
  cluster_name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, { error: "must be a lower-case DNS name" }),
  default_credential_ttl: duration.default("1h"),
  max_credential_ttl: duration.default("24h"),
  max_bot_identity_ttl: duration.default("168h"),
  audit_retention: duration.default("2160h"),
});

export type ClusterConfig = Resource<"cluster_config", z.infer<typeof spec>>;

/** There is one, and this is its name. */
export const CLUSTER_CONFIG_NAME = "cluster";

export const clusterConfigKind = defineKind<ClusterConfig>({
  kind: "cluster_config",
  version: "v1",
  aliases: ["cluster"],
  name: z.literal(CLUSTER_CONFIG_NAME, { error: `must be "${CLUSTER_CONFIG_NAME}"` }),
  spec,
});
