import { UsageError, type Program } from "#base/cli";
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
    root.option("--port <number>", "port of the proxy; default: 3080, or any free one", portOf);
    root.action(async ({ once = false, port }: { once?: boolean; port?: number }) => {
      const { runQuickstart } = await import("./quickstart.ts");
      await runQuickstart({ once, ...(port === undefined ? {} : { port }) }, io);
    });
  },
};

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new UsageError(`--port "${text}" is not a port; give a number from 1 to 65535`);
}
