import type { Program } from "#base/cli";
import { VERSION } from "#base/kernel";

export const quickstart: Program = {
  name: "quickstart",
  version: VERSION,
  description:
    "Starts a whole cluster on this machine (authority, proxy, an application behind an agent, a bot with a tunnel) in a fresh directory, and sends a request through it.",
  examples: `Examples:
  npm start               until Ctrl-C
  npm start -- --once     ends after the request: 0 when it worked, 1 when it did not`,
  commands: [],
  options: (root, io) => {
    root.option("--once", "end after the request");
    root.option("--port <number>", "port of the proxy; default: 3080, or any free one");
    root.action(async (options: { once?: boolean; port?: string }) => {
      const { runQuickstart } = await import("./quickstart.ts");
      await runQuickstart(
        { once: options.once ?? false, ...(options.port ? { port: Number(options.port) } : {}) },
        io,
      );
    });
  },
};
