import { accessDenied, badParameter } from "#base/kernel";
import { describeCaller } from "#domain/access";
import {
  appKind,
  appNamePattern,
  appResourceName,
  parseDocument,
  writeOf,
  type AnyResource,
} from "#domain/resources";
import type { Write } from "#base/storage";
import type { AnnounceAppsRequest, AnnounceAppsRequest_App } from "@tenon/api/tenon/auth/v1/auth";
import type { AuthCall, AuthParts } from "./parts.ts";

/** An agent announces three times within it, so that one lost call does no harm. */
export const ANNOUNCEMENT_TTL_MS = 90_000;
/** Of one agent; with as many removals still one batch of the store. */
const MAX_APPS = 400;

/**
 * Puts the applications of an agent, and takes away those of its that it no longer names. Several
 * agents may serve one application: each has its own entry, `<app>:<host>`.
 */
export async function announceApps(
  { store, resources, clock }: Pick<AuthParts, "store" | "resources" | "clock">,
  request: Pick<AnnounceAppsRequest, "apps">,
  { caller }: Pick<AuthCall, "caller">,
): Promise<{ ttlSeconds: number }> {
  if (caller.kind !== "host")
    throw accessDenied(`${describeCaller(caller)} is not an agent; only agents serve applications`);
  const { hostId } = caller.identity;
  const expires = new Date(clock.now() + ANNOUNCEMENT_TTL_MS).toISOString();
  checkNames(request.apps);
  const entries = request.apps.map((app) => entryOf(app, hostId, expires));
  const gone = await withdrawn(entries, hostId, resources);
  const writes: readonly Write[] = [...entries.map((entry) => writeOf(entry, "put")), ...gone];
  if (writes.length > 0) await store.commit(writes);
  return { ttlSeconds: ANNOUNCEMENT_TTL_MS / 1_000 };
}

function checkNames(apps: readonly AnnounceAppsRequest_App[]): void {
  if (apps.length > MAX_APPS)
    throw badParameter(`an agent serves at most ${MAX_APPS} applications; start another agent`);
  const seen = new Set<string>();
  for (const { name } of apps) {
    if (!appNamePattern.test(name))
      throw badParameter(
        `"${name}" cannot name an application; use lower-case letters, digits and hyphens, at most 63`,
      );
    if (seen.has(name)) throw badParameter(`application "${name}" is announced twice`);
    seen.add(name);
  }
}

/** The kind's own schema checks address and labels. */
function entryOf(app: AnnounceAppsRequest_App, hostId: string, expires: string): AnyResource {
  const { name, uri, description, labels, publicAddr } = app;
  return parseDocument({
    kind: "app",
    version: appKind.version,
    metadata: {
      name: appResourceName(name, hostId),
      labels,
      expires,
      ...(description === "" ? {} : { description }),
    },
    spec: { uri, host_id: hostId, ...(publicAddr === "" ? {} : { public_addr: publicAddr }) },
  });
}

/** What this agent announced before and does not now. An entry that has expired since is no fault. */
async function withdrawn(
  entries: readonly AnyResource[],
  hostId: string,
  resources: AuthParts["resources"],
): Promise<readonly Write[]> {
  const kept = new Set(entries.map((entry) => entry.metadata.name));
  const writes: Write[] = [];
  const range = { index: "host_id", from: hostId, to: `${hostId}\0` };
  for await (const { metadata } of resources.all("app", range)) {
    if (!kept.has(metadata.name)) writes.push({ op: "delete", kind: "app", name: metadata.name });
  }
  return writes;
}
