import type { Command } from "commander";

/** How to reach the cluster, as given on the command line. */
export interface ConnectionOptions {
  readonly dataDir?: string;
  readonly identity?: string;
  readonly proxyServer?: string;
}

export function addConnectionOptions(root: Command): void {
  root
    .option("--data-dir <path>", "data directory of the cluster on this machine (TENON_DATA_DIR)")
    .option("--identity <file>", "act as this identity, over the network (TENON_IDENTITY)")
    .option(
      "--proxy-server <host:port>",
      "the cluster's proxy, for --identity (TENON_PROXY_SERVER)",
    );
}
