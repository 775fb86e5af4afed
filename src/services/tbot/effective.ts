import { withoutSecrets, yamlOf } from "#base/config";
import { botConfiguration, type BotConfiguration } from "./configuration.ts";
import { nameServices } from "./names.ts";

/** The configuration as `tbot start -c` takes it: every service named, secrets hidden. */
export function effectiveConfiguration(configuration: BotConfiguration): string {
  const named = { ...configuration, services: nameServices(configuration.services) };
  return yamlOf(withoutSecrets(named, botConfiguration), botConfiguration);
}
