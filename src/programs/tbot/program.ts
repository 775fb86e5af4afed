import type { Program } from "#base/cli";
import { VERSION } from "#base/kernel";
import { apiCommands, apiNotes } from "./api-commands.ts";

export const tbot: Program = {
  name: "tbot",
  version: VERSION,
  description:
    "The bot: proves once who this machine is, and keeps its credentials and tunnels alive.",
  examples: `Examples:
  tbot onboard 'tbot+proxy+…'                                            step by step, with answers at once
  tbot start identity --join-uri 'tbot+proxy+…' --destination ./out     SSH and TLS credentials in ./out
  tbot start app-tunnel --join-uri 'tbot+proxy+…' --app-name grafana --listen tcp://127.0.0.1:3000
  tbot configure identity … > tbot.yaml                                  the same as a file
  tbot start -c tbot.yaml                                                many services, one bot
`,
  commands: [
    {
      name: "start",
      summary: "run the bot: from a file, or with one service given on the command line",
      load: async () => (await import("./commands/start.ts")).defineStart,
    },
    {
      name: "onboard",
      summary: "set up this machine's bot step by step: join, try services out, write the file",
      load: async () => (await import("./commands/onboard.ts")).defineOnboard,
    },
    {
      name: "configure",
      summary: "print the configuration file for the same arguments as start",
      load: async () => (await import("./commands/configure.ts")).defineConfigure,
    },
    {
      name: "validate",
      summary: "check a configuration file, and report every fault with its place",
      load: async () => (await import("./commands/validate.ts")).defineValidate,
    },
    {
      name: "schema",
      summary: "print the JSON Schema of the configuration file, for editors",
      load: async () => (await import("./commands/schema.ts")).defineSchema,
    },
    {
      name: "keypair",
      summary: "make, show and replace the bound keypair of a machine",
      load: async () => (await import("./commands/keypair.ts")).defineKeypair,
    },
    {
      name: "api",
      summary: "give orders to a running bot: start, stop and watch services, and look around",
      notes: apiNotes,
      commands: apiCommands,
    },
    {
      name: "generate",
      summary:
        "get credentials from a running bot, once: for an application, a database, ssh, kubectl",
      load: async () => (await import("./commands/generate.ts")).defineGenerate,
    },
    {
      name: "wait",
      summary: "wait until a running bot, or one of its services, is ready",
      load: async () => (await import("./commands/wait.ts")).defineWait,
    },
    {
      name: "mcp",
      summary:
        "let an agent give orders to a running bot: a Model Context Protocol server on stdio",
      load: async () => (await import("./commands/mcp.ts")).defineMcp,
    },
    {
      name: "install",
      summary: "make the bot a service of this machine: systemd",
      load: async () => (await import("./commands/install.ts")).defineInstall,
    },
    {
      name: "version",
      summary: "print the version",
      load: async () => (command, io) => {
        command.action(() => void io.stdout.write(`tbot ${VERSION}\n`));
      },
    },
  ],
};
