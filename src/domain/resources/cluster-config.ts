import { duration } from "#base/config";
import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";

const spec = z.strictObject({
  cluster_name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, { error: "must be a lower-case DNS name" })
    .meta({ description: "fixed at the first start" }),
  default_credential_ttl: duration
    .default("1h")
    .meta({ description: "lifetime of credentials where nobody asks for another" }),
  max_credential_ttl: duration
    .default("24h")
    .meta({ description: "longest lifetime of credentials" }),
  max_bot_identity_ttl: duration
    .default("168h")
    .meta({ description: "longest lifetime of a bot's own identity" }),
  recovery_alert_threshold: z.int().min(0).default(0).meta({
    description:
      "alert when a token of join method bound_keypair has fewer recoveries left; 0: never",
  }),
  audit_retention: duration.default("2160h").meta({ description: "how long events are kept" }),
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
