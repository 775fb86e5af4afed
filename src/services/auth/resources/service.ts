import type { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import type { Handlers } from "#base/rpc";
import { deleteResource } from "./delete.ts";
import type { ResourceCall, ResourceServiceParts } from "./call.ts";
import { getResource, listResources, tallyResources } from "./read.ts";
import { watchResources } from "./watch.ts";
import { writeResources } from "./write.ts";

/** The generic resource RPCs: a kind and a JSON document serve every kind of resource. */
export function createResourceService(
  parts: ResourceServiceParts,
): Handlers<typeof ResourceService, ResourceCall> {
  return {
    get: (request, call) => getResource(parts, request, call),
    list: (request, call) => listResources(parts, request, call),
    tally: (request, call) => tallyResources(parts, request, call),
    create: (request, call) => writeResources(parts, "create", request, call),
    update: (request, call) => writeResources(parts, "update", request, call),
    upsert: (request, call) => writeResources(parts, "upsert", request, call),
    delete: (request, call) => deleteResource(parts, request, call),
    watch: (request, call) => watchResources(parts, request, call),
  };
}
