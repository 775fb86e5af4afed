import type { CommandIo } from "#base/cli";
import { internal } from "#base/kernel";
import type { Command } from "commander";
import { resolve } from "node:path";
import * as z from "zod";
import { onCluster, type Given } from "../action.ts";

const flags = z.strictObject({
  out: z.string().min(1).meta({
    placeholder: "file",
    description: "new file on this machine, for its owner alone (0600)",
  }),
});

export function defineBackup(command: Command, io: CommandIo): void {
  command.description(
    "Writes all that the cluster has stored, as it is at one moment, while it runs. The file holds the keys of the cluster's authorities. Only at the cluster's own socket.",
  );
  command.addHelpText(
    "after",
    "\nTo restore it: stop the cluster, move its data directory away, put the file into a new one as\nstore/store.db, and start: tenon start --restored",
  );
  onCluster(command, io, { schema: flags, act: backUp });
}

async function backUp({ cluster, options, io }: Given<z.output<typeof flags>>): Promise<void> {
  const file = resolve(options.out);
  for await (const { bytes } of cluster.auth.backup({ file })) {
    io.stdout.write(
      `${file} holds the whole cluster (${bytes} bytes), its authorities' keys included; keep it as safe as them\n`,
    );
    return;
  }
  throw internal("the cluster ended without saying that the backup is complete");
}
