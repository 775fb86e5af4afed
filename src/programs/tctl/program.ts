import type { Program } from "#base/cli";
import { VERSION } from "#base/kernel";
import { addConnectionOptions } from "./connection-options.ts";

export const tctl: Program = {
  name: "tctl",
  version: VERSION,
  description:
    "Administers a Tenon cluster: through its local socket, or as someone with --identity.",
  examples: `Examples:
  tctl status                                      the cluster at a glance
  tctl bots add robot --roles access               a bot, and the command that starts it
  tctl get tokens --format yaml                    resources, as they can be created again
  tctl create -f role.yaml --dry-run               check a file without writing anything
  tctl lock --bot-instance-id ID --ttl 1h          cut a machine off
  tctl auth rotate --type host                     exchange the keys of an authority
  tctl audit ls --type bot.join --from 24h         who joined today
`,
  options: addConnectionOptions,
  commands: [
    {
      name: "status",
      summary: "show the cluster: version, address, CA pins, authorities, counts",
      load: async () => (await import("./commands/status.ts")).defineStatus,
    },
    {
      name: "get",
      summary: "show resources: one, a kind, or several kinds",
      load: async () => (await import("./commands/get.ts")).defineGet,
    },
    {
      name: "create",
      summary: "create (or with --force replace) the resources of a YAML or JSON file",
      load: async () => (await import("./commands/create.ts")).defineCreate,
    },
    {
      name: "edit",
      summary: "change a resource in your editor",
      load: async () => (await import("./commands/edit.ts")).defineEdit,
    },
    {
      name: "rm",
      summary: "remove resources, and what hangs on them",
      load: async () => (await import("./commands/rm.ts")).defineRm,
    },
    {
      name: "bots",
      summary: "add, change, list and remove bots; add and look at their instances",
      load: async () => (await import("./commands/bots.ts")).defineBots,
    },
    {
      name: "tokens",
      summary: "add, change, list and remove join tokens",
      load: async () => (await import("./commands/tokens.ts")).defineTokens,
    },
    {
      name: "bound-keypair",
      summary: "list bound keys; have one replaced; let a machine back in",
      load: async () => (await import("./commands/bound-keypair.ts")).defineBoundKeypair,
    },
    {
      name: "lock",
      summary: "cut off a user, role, bot instance, join token, public key or server at once",
      load: async () => (await import("./commands/lock.ts")).defineLock,
    },
    {
      name: "users",
      summary: "add, list and remove users",
      load: async () => (await import("./commands/users.ts")).defineUsers,
    },
    {
      name: "auth",
      summary: "export and rotate the keys of the certificate authorities",
      load: async () => (await import("./commands/auth.ts")).defineAuth,
    },
    {
      name: "audit",
      summary: "search the audit log",
      load: async () => (await import("./commands/audit.ts")).defineAudit,
    },
    {
      name: "alerts",
      summary: "list what needs an administrator now",
      load: async () => (await import("./commands/alerts.ts")).defineAlerts,
    },
    {
      name: "backup",
      summary: "write all that is stored to a file, while the cluster runs",
      load: async () => (await import("./commands/backup.ts")).defineBackup,
    },
    {
      name: "cluster",
      summary: "say that the cluster was restored from a backup",
      load: async () => (await import("./commands/cluster.ts")).defineCluster,
    },
    {
      name: "schema",
      summary: "print the JSON Schema of a kind of resource, for editors",
      load: async () => (await import("./commands/schema.ts")).defineSchema,
    },
    {
      name: "version",
      summary: "print the version",
      load: async () => (command, io) => {
        command.action(() => void io.stdout.write(`tctl ${VERSION}\n`));
      },
    },
  ],
};
