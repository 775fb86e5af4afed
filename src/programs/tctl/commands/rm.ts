import type { CommandIo } from "#base/cli";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../action.ts";
import type { Cluster } from "../connect.ts";
import { parseNamed, type Reference } from "../references.ts";

export function defineRm(command: Command, io: CommandIo): void {
  command.argument("<resource...>", "what to remove, as kind/name");
  onCluster(command, io, { schema: noFlags, act: removeAll });
}

async function removeAll({ cluster, args, io }: Given<object>): Promise<void> {
  for (const reference of args.map(parseNamed)) await remove(cluster, reference, io);
}

/** Tells everything that went with it. */
export async function remove(
  cluster: Cluster,
  reference: Required<Reference>,
  io: CommandIo,
): Promise<void> {
  const { deleted } = await cluster.resources.delete(reference);
  for (const name of deleted) io.stdout.write(`${name} removed\n`);
}
