import type { CommandIo } from "#base/cli";
import type { Command } from "commander";
import { defineInstallSystemd } from "./install/systemd.ts";

export function defineInstall(command: Command, io: CommandIo): void {
  const summary =
    "print or install a systemd unit that runs the bot, with all that it does not need locked away";
  defineInstallSystemd(command.command("systemd").summary(summary).description(summary), io);
}
