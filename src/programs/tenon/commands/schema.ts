import type { CommandIo } from "#base/cli";
import { jsonSchemaOf } from "#base/config";
import type { Command } from "commander";
import { configuration } from "../configuration.ts";

export function defineSchema(command: Command, io: CommandIo): void {
  command.action(() => {
    const schema = jsonSchemaOf(configuration, { title: "tenon.yaml" });
    io.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  });
}
