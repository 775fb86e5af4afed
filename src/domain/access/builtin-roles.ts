import type { Write } from "#base/storage";
import { INTERNAL_LABELS, roleKind, writeOf, type Role } from "#domain/resources";

/** Marks the roles that come with a cluster. */
const BUILTIN_LABEL = `${INTERNAL_LABELS}builtin`;

const everything = { "*": ["*"] };

const drafts: Readonly<Record<string, { description: string; allow: object }>> = {
  access: {
    description: "Reach every application, node and database",
    allow: {
      logins: ["{{internal.logins}}"],
      node_labels: everything,
      app_labels: everything,
      db_labels: everything,
      kubernetes_labels: everything,
    },
  },
  editor: {
    description: "Manage the cluster: its users, roles, bots, tokens, locks and settings",
    allow: {
      rules: [
        {
          resources: [
            "user",
            "role",
            "bot",
            "token",
            "lock",
            "cluster_config",
            "node",
            "db",
            "kube_cluster",
          ],
          verbs: ["*"],
        },
        {
          resources: ["bot_instance", "app", "cert_authority", "event", "status"],
          verbs: ["list", "read"],
        },
        // To rotate them.
        { resources: ["cert_authority"], verbs: ["update"] },
        { resources: ["authority_export"], verbs: ["read", "use"] },
      ],
    },
  },
  auditor: {
    description: "Read the audit log and what is in force",
    allow: {
      rules: [
        {
          resources: [
            "event",
            "status",
            "lock",
            "bot",
            "bot_instance",
            "node",
            "app",
            "db",
            "kube_cluster",
            "user",
            "role",
          ],
          verbs: ["list", "read"],
        },
      ],
    },
  },
};

/** The roles that come with a cluster. They may be changed, but not deleted. */
export const builtinRoles: readonly Role[] = Object.entries(drafts).map(([name, draft]) =>
  roleKind.schema.parse({
    kind: "role",
    version: roleKind.version,
    metadata: { name, description: draft.description, labels: { [BUILTIN_LABEL]: "true" } },
    spec: { allow: draft.allow },
  }),
);

export const isBuiltinRole = (name: string): boolean => Object.hasOwn(drafts, name);

/** What the first start of a cluster commits, with its authorities. */
export const builtinRoleWrites = (): readonly Write[] =>
  builtinRoles.map((role) => writeOf(role, "create"));
