import type { RuleResource, SystemRole, Verb } from "#domain/resources";

interface HostRule {
  readonly resources: readonly RuleResource[];
  readonly verbs: readonly Verb[];
}

/** What every agent needs to decide about a connection by itself. */
const decisions: HostRule = {
  resources: ["role", "lock", "cert_authority", "cluster_config"],
  verbs: ["list", "read"],
};

/** Also finds what to route to. */
const routing: HostRule = { resources: ["app"], verbs: ["list", "read"] };

/** What the services of the cluster may do to documents, by the role in their host certificate. */
export const hostRules: Readonly<Record<SystemRole, readonly HostRule[]>> = {
  Bot: [],
  Node: [decisions],
  App: [decisions],
  Db: [decisions],
  Kube: [decisions],
  Proxy: [decisions, routing],
};
