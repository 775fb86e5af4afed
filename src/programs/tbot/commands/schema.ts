import type { CommandIo } from "#base/cli";
import { jsonSchemaOf } from "#base/config";
import { botConfiguration } from "#services/tbot";
import type { Command } from "commander";

export function defineSchema(command: Command, io: CommandIo): void {
  command.action(() => {
    io.stdout.write(
      `${JSON.stringify(jsonSchemaOf(botConfiguration, { title: "tbot.yaml" }), null, 2)}\n`,
    );
  });
}
