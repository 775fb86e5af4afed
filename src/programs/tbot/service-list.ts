import { withAbsolutePaths, yamlOf } from "#base/config";
import { serviceList, type ServiceConfiguration } from "#services/tbot";
import { resolve } from "node:path";

/** YAML for a running bot, which may work in another directory: it gets absolute paths. */
export function listForBot(services: readonly ServiceConfiguration[]): string {
  return yamlOf(
    withAbsolutePaths(services, serviceList, (path) => resolve(path)),
    serviceList,
  );
}
