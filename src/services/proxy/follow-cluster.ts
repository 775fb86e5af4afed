import { runRepeatedly, type Clock, type Logger } from "#base/kernel";
import type { Store } from "#base/storage";
import { fromItem, Resources, type App, type Role } from "#domain/resources";
import { ClusterView } from "./cluster-view.ts";

/** What keeps the store from answering passes, or the operator sees it in the log. */
const FOLLOW_RETRY = { firstMs: 200, maxMs: 5_000 };

export interface ViewOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** The roles and applications, complete before the first connection is judged. */
export async function openView(
  { store, clock, random, logger }: ViewOptions,
  owned: AsyncDisposableStack,
): Promise<ClusterView> {
  const view = new ClusterView();
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const following = runRepeatedly({
    clock,
    random,
    signal: stop.signal,
    intervalMs: FOLLOW_RETRY.maxMs,
    retry: FOLLOW_RETRY,
    run: (signal) => followCluster(view, { store, signal, onReady: ready.resolve }),
    onFailure: (error) =>
      logger.warn("cannot follow the cluster's roles and applications", { error }),
  });
  owned.defer(async () => {
    stop.abort();
    await following;
  });
  await ready.promise;
  return view;
}

/**
 * Fills the view from the store and keeps it in step until the signal aborts. Rejects when the store
 * does: run it again, and it starts from a full list, while the view still holds what it knew.
 */
export async function followCluster(
  view: ClusterView,
  options: { readonly store: Store; readonly signal: AbortSignal; readonly onReady?: () => void },
): Promise<void> {
  const { store, signal } = options;
  const after = await store.position();
  const resources = new Resources(store);
  view.replace(await gather(resources.all("role")), await gather(resources.all("app")));
  options.onReady?.();
  for await (const change of store.watch({ kinds: ["role", "app"], after, signal })) {
    if (change.item) view.put(fromItem(change.item) as Role | App);
    else view.remove(change.kind, change.name);
  }
}

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}
