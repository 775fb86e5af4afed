import type { CommandIo, OutputFormat } from "#base/cli";
import { addFlags, valueFromFlags } from "#base/config";
import type { Command } from "commander";
import * as z from "zod";
import { withCluster, type Cluster } from "./connect.ts";
import type { ConnectionOptions } from "./connection-options.ts";

/** What an action works with. */
export interface Given<Options> {
  readonly cluster: Cluster;
  /** Of the command's own schema. */
  readonly options: Options;
  /** The operands, lists flattened. */
  readonly args: readonly string[];
  readonly format: OutputFormat;
  readonly io: CommandIo;
  /** `tctl` with the options that lead to this cluster: for commands that people paste. */
  readonly tctl: string;
  /** `npx ` when that is how this program was started, for others that are pasted beside it. */
  readonly npx: string;
}

/** For commands without flags of their own. */
export const noFlags = z.strictObject({});

/** Gives a command the flags of a schema, and an action that runs connected to the cluster. */
export function onCluster<S extends z.ZodType>(
  command: Command,
  io: CommandIo,
  { schema, act }: { schema: S; act: (given: Given<z.output<S>>) => Promise<void> },
): void {
  addFlags(command, schema);
  command.action(async () => {
    const options = valueFromFlags({ schema, options: command.opts() });
    const all: ConnectionOptions & { format?: OutputFormat } = command.optsWithGlobals();
    const { format = "text" } = all;
    const args = command.processedArgs.flat().filter((arg) => typeof arg === "string");
    const npx = io.env["npm_command"] === "exec" ? "npx " : "";
    const tctl = `${npx}${asTyped(all)}`;
    await withCluster(all, io, (cluster) => act({ cluster, options, args, format, io, tctl, npx }));
  });
}

function asTyped({ dataDir, identity, proxyServer }: ConnectionOptions): string {
  const given = { "--data-dir": dataDir, "--identity": identity, "--proxy-server": proxyServer };
  const flags = Object.entries(given).flatMap(([flag, value]) =>
    value ? [flag, quoted(value)] : [],
  );
  return ["tctl", ...flags].join(" ");
}

/** As a shell takes it for one word. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
