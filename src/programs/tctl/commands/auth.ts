import type { CommandIo } from "#base/cli";
import { exportFormats } from "#domain/authority";
import { authorityTypes } from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../action.ts";
import { defineRotate } from "./auth/rotate.ts";

const flags = z.strictObject({
  type: z.enum(authorityTypes).meta({ description: "which authority" }),
  format: z.enum(exportFormats).optional().meta({
    description: "form of the keys; default: SSH where it signs SSH, else X.509, else JWK",
  }),
});

export function defineAuth(command: Command, io: CommandIo): void {
  const summary = "print an authority's public keys, as other programs read them";
  onCluster(command.command("export").summary(summary).description(summary), io, {
    schema: flags,
    act: exportAuthority,
  });
  defineRotate(command, io);
}

async function exportAuthority(given: Given<z.output<typeof flags>>): Promise<void> {
  const { type, format = "" } = given.options;
  const { text } = await given.cluster.auth.exportAuthority({ type, format });
  given.io.stdout.write(text);
}
