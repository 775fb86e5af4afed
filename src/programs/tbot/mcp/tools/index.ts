import type { Tool } from "../tool.ts";
import { issueCredential, type Issuing } from "./issue-credential.ts";
import { listServices } from "./list-services.ts";
import { queryResources } from "./query-resources.ts";
import { serviceStatus } from "./service-status.ts";
import { startService } from "./start-service.ts";
import { stopService } from "./stop-service.ts";

/** Everything that an agent may ask for; credentials only where something issues them. */
export const toolsOf = (issuing: Issuing | undefined): readonly Tool[] => [
  listServices,
  serviceStatus,
  queryResources,
  startService,
  stopService,
  ...(issuing ? [issueCredential(issuing)] : []),
];
