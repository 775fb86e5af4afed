import type { Logger } from "#base/kernel";
import type { DestinationConfiguration } from "../fields.ts";
import type { Destination } from "./destination.ts";
import { DirectoryDestination } from "./directory.ts";
import { MemoryDestination } from "./memory.ts";

export type { Artifact, Destination } from "./destination.ts";

export function openDestination(
  configuration: DestinationConfiguration,
  { log }: { log: Logger },
): Destination {
  if (configuration.type === "memory") return new MemoryDestination();
  return new DirectoryDestination({ ...configuration, log });
}
