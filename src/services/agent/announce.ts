import type { ClusterClient } from "#services/enrolment";
import type { AgentApp } from "./app/agent-app.ts";

/** Tells the cluster what this agent serves; gives the milliseconds until that must be said again. */
export async function announce(
  client: ClusterClient,
  apps: readonly AgentApp[],
  signal: AbortSignal,
): Promise<number> {
  const entries = apps.map(({ name, uri, description, labels, publicAddr }) => ({
    name,
    uri,
    description,
    labels: { ...labels },
    publicAddr: publicAddr ?? "",
  }));
  const { ttlSeconds } = await client.auth.announceApps({ apps: entries }, { signal });
  return ttlSeconds * 1_000;
}
