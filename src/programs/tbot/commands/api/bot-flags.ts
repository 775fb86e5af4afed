import { UsageError } from "#base/cli";
import { flagsOf } from "#base/config";
import { botConfiguration } from "#services/tbot";
import { Option, type Command } from "commander";

/** Flags of the bot itself, which runs already: not offered, and refused in words. */
export function refuseBotFlags(command: Command): Command {
  for (const { name, aliases } of flagsOf(botConfiguration))
    for (const flag of [name, ...aliases]) {
      command.addOption(new Option(`--${flag} [value]`).hideHelp());
      command.on(`option:${flag}`, () => {
        throw new UsageError(
          `--${flag} is of the bot itself, which runs already; give it to \`tbot start\``,
        );
      });
    }
  return command;
}
