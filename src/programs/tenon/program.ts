import type { Program } from "#base/cli";
import { VERSION } from "#base/kernel";

export const program: Program = {
  name: "tenon",
  version: VERSION,
  description:
    "Runs a Tenon cluster: the authorities that give machines their identities, the proxy that they connect to, and agents that open applications to them.",
  examples: `Examples:
  tenon start --cluster-name example.com --public-addr tenon.example.com:3080
  tenon start -c /etc/tenon.yaml
  tenon app start --name web --uri http://localhost:8080 \\
    --proxy-server tenon.example.com:3080 --token TOKEN --ca-pin sha256:…`,
  commands: [
    {
      name: "start",
      summary: "run a cluster, or an agent, as the configuration says",
      load: async () => (await import("./commands/start.ts")).defineStart,
    },
    {
      name: "app",
      summary: "serve an application through a cluster",
      load: async () => (await import("./commands/app.ts")).defineApp,
    },
    {
      name: "configure",
      summary: "print the configuration that the flags of start amount to",
      load: async () => (await import("./commands/configure.ts")).defineConfigure,
    },
    {
      name: "validate",
      summary: "check a configuration file",
      load: async () => (await import("./commands/validate.ts")).defineValidate,
    },
    {
      name: "schema",
      summary: "print the JSON Schema of the configuration file, for editors",
      load: async () => (await import("./commands/schema.ts")).defineSchema,
    },
    {
      name: "version",
      summary: "print the version",
      load: async () => (await import("./commands/version.ts")).defineVersion,
    },
  ],
};
