import { internal } from "#base/kernel";
import { parseDocument, type Lock, type Role } from "#domain/resources";
import type { ClusterClient } from "#services/enrolment";
import type { AgentRules } from "./rules.ts";

export interface FollowOptions {
  readonly client: ClusterClient;
  readonly rules: AgentRules;
  readonly signal: AbortSignal;
  readonly onReady: () => void;
}

/** Keeps the locks in step with the cluster until the signal aborts; rejects when the stream breaks. */
export async function followLocks({
  client,
  rules,
  signal,
  onReady,
}: FollowOptions): Promise<void> {
  for await (const { locks } of client.auth.watchLocks({}, { signal })) {
    rules.locks.replace(locks.map((json) => documentOf("lock", json)));
    onReady();
  }
}

/** Likewise the roles: subscribed first and listed then, so that no change falls between. */
export async function followRoles({
  client,
  rules,
  signal,
  onReady,
}: FollowOptions): Promise<void> {
  for await (const { event } of client.resources.watch({ kinds: ["role"] }, { signal })) {
    if (event.case === "ready") {
      rules.replaceRoles(await allRoles(client, signal));
      onReady();
    }
    if (event.case === "put") rules.putRole(documentOf("role", event.value.json));
    if (event.case === "deleted") rules.removeRole(event.value.name);
  }
}

async function allRoles(client: ClusterClient, signal: AbortSignal): Promise<Role[]> {
  const roles: Role[] = [];
  let pageToken = "";
  do {
    const page = await client.resources.list({ kind: "role", pageToken }, { signal });
    roles.push(...page.documents.map(({ json }) => documentOf("role", json)));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return roles;
}

type Followed = { readonly lock: Lock; readonly role: Role };

/** A document that this version cannot read might deny something: better no answer than half of one. */
function documentOf<K extends keyof Followed>(kind: K, json: string): Followed[K] {
  const document = parseDocument(json);
  if (document.kind !== kind) throw internal(`the cluster sent a ${document.kind} for a ${kind}`);
  return document as Followed[K];
}
