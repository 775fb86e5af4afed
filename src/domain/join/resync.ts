import { randomUUID } from "node:crypto";
import type { Clock } from "#base/kernel";
import type { Store, Write } from "#base/storage";
import { systemActor, type Actor, type AuditLog } from "#domain/audit";
import { z } from "zod";
import { commit } from "./refusal.ts";

/**
 * After a restore the machines are ahead of the store: they have joined since the backup was made.
 * While the window is open, a token may be moved forward to what its machine proves, once.
 */
export interface ResyncWindow {
  /** Another for each window that is opened, also over an open one. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  readonly until: number;
}

/** The longest life of a bot's identity: every machine that works at the restore comes by within it. */
export const RESYNC_WINDOW_MS = 7 * 24 * 60 * 60 * 1000;

const KIND = "cluster_state";
const NAME = "resync";
const stored = z.strictObject({ id: z.uuid(), opened_at: z.int(), until: z.int() });

interface Parts {
  readonly store: Store;
  readonly audit: Pick<AuditLog, "write">;
  readonly clock: Clock;
}

interface By {
  readonly actor: Actor;
  readonly remoteAddr?: string;
}

/** Opens a window that lasts from now; one that is open already is replaced. */
export async function openResync(
  { store, audit, clock }: Parts,
  by: By = { actor: systemActor },
): Promise<ResyncWindow> {
  const openedAt = clock.now();
  const window = { id: randomUUID(), openedAt, until: openedAt + RESYNC_WINDOW_MS };
  const { id, until } = window;
  await commit(store, [
    {
      op: "put",
      kind: KIND,
      name: NAME,
      value: { id, opened_at: openedAt, until },
      expires: until,
    },
    audit.write({
      type: "cluster.resync.open",
      ...by,
      fields: { until: new Date(until).toISOString() },
    }),
  ]);
  return window;
}

/** Whether one was open. */
export async function endResync({ store, audit }: Parts, by: By): Promise<boolean> {
  const item = await store.get(KIND, NAME);
  if (!item) return false;
  const end: Write = { op: "delete", kind: KIND, name: NAME, revision: item.revision };
  await commit(store, [end, audit.write({ type: "cluster.resync.end", ...by, fields: {} })]);
  return true;
}

/** `undefined` when none is open: the store forgets it at its end. */
export async function readResync({
  store,
}: Pick<Parts, "store">): Promise<ResyncWindow | undefined> {
  const item = await store.get(KIND, NAME);
  if (!item) return undefined;
  const { opened_at: openedAt, ...rest } = stored.parse(item.value);
  return { openedAt, ...rest };
}
