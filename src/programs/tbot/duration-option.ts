import { UsageError } from "#base/cli";
import { duration } from "#base/config";
import { Option } from "commander";

/** An option whose value is a duration such as `90s`. */
export function durationOption(flag: string, description: string): Option {
  return new Option(`${flag} <duration>`, description).argParser((text: string) => {
    const parsed = duration.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new UsageError(`${flag} "${text}" is not a duration; write 90s, 5m or 1h30m`);
  });
}
