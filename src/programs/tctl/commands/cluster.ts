import type { CommandIo } from "#base/cli";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../action.ts";
import { timeOf } from "../time.ts";

const flags = z.strictObject({
  end: z.boolean().default(false).meta({ description: "end the window again" }),
});

export function defineCluster(command: Command, io: CommandIo): void {
  const restored = command.command("restored").summary("say that the store was restored");
  restored.description(
    "Says that the store was restored from a backup. For a week, a token may be moved forward, once, to what its machine proves: a join state and a certificate of this cluster that are ahead of the store. What is behind is locked as always. Only at the cluster's own socket.",
  );
  onCluster(restored, io, { schema: flags, act: setWindow });
}

async function setWindow({
  cluster,
  options,
  io,
  tctl,
}: Given<z.output<typeof flags>>): Promise<void> {
  const { until, changed } = await cluster.auth.setResyncWindow({ open: !options.end });
  if (!options.end)
    io.stdout.write(
      `the resync window is open until ${timeOf(until)}; when every machine has come: ${tctl} cluster restored --end\n`,
    );
  else io.stdout.write(changed ? "the resync window has ended\n" : "no resync window was open\n");
}
