import type { Tool } from "../tool.ts";
import { listServices } from "./list-services.ts";
import { queryResources } from "./query-resources.ts";
import { serviceStatus } from "./service-status.ts";
import { startService } from "./start-service.ts";
import { stopService } from "./stop-service.ts";

/** Everything that an agent may ask for. */
export const tools: readonly Tool[] = [
  listServices,
  serviceStatus,
  queryResources,
  startService,
  stopService,
];
