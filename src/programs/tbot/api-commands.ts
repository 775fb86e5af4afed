import type { LazyCommand } from "#base/cli";

/** What `tbot api` can do; each loads its code when it is called. */
export const apiCommands: readonly LazyCommand[] = [
  {
    name: "spawn",
    alias: "start",
    summary: "start services, and wait until they are healthy",
    load: async () => (await import("./commands/api/spawn.ts")).defineSpawn,
  },
  {
    name: "stop",
    summary: "end services, after what they have in flight",
    load: async () => (await import("./commands/api/stop.ts")).defineStop,
  },
  {
    name: "status",
    summary: "how the services are",
    load: async () => (await import("./commands/api/status.ts")).defineStatus,
  },
  {
    name: "config",
    summary: "print the configuration that resumes what runs now: tbot start -c",
    load: async () => (await import("./commands/api/config.ts")).defineConfig,
  },
  {
    name: "logs",
    summary: "print the bot's log",
    load: async () => (await import("./commands/api/logs.ts")).defineLogs,
  },
  {
    name: "query",
    summary:
      "list the nodes, applications, databases or Kubernetes clusters that the bot may reach",
    load: async () => (await import("./commands/api/query.ts")).defineQuery,
  },
];

export const apiNotes = `The bot is the one that serves the socket in TBOT_API_SOCKET, or in --socket:

  export TBOT_API_SOCKET=unix:///run/user/1000/tbot.sock
  tbot start bot-api --listen $TBOT_API_SOCKET --join-uri 'tbot+proxy+…' &
  tbot api spawn app-tunnel --app grafana --listen tcp://127.0.0.1:3000
  tbot api status
  tbot api config > tbot.yaml
`;
