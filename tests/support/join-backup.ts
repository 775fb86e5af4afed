// What a restore from a backup does to the store of a JoinCluster.
import type { Item, Write } from "#base/storage";
import type { JoinCluster } from "./join.ts";

/** What joining reads and writes; the audit log would only be in the way. */
const kinds = ["token", "bot_instance", "lock", "agent_host", "join_attempt"] as const;

/** All that is stored now; calling it puts the store back there. */
export async function backUp(cluster: JoinCluster): Promise<() => Promise<void>> {
  const kept = await itemsOf(cluster);
  return async () => {
    const names = new Set(kept.map(keyOf));
    const later = (await itemsOf(cluster)).filter((item) => !names.has(keyOf(item)));
    const writes = [...later.map(removal), ...kept.map(putOf)];
    if (writes.length > 0) await cluster.store.commit(writes);
    await cluster.settled();
  };
}

async function itemsOf({ store }: JoinCluster): Promise<Item[]> {
  const pages = await Promise.all(kinds.map((kind) => store.list({ kind, limit: 1_000 })));
  return pages.flatMap((page) => page.items);
}

const keyOf = ({ kind, name }: Item): string => `${kind}/${name}`;
const removal = ({ kind, name }: Item): Write => ({ op: "delete", kind, name });
const putOf = ({ kind, name, value, expires }: Item): Write => ({
  op: "put",
  kind,
  name,
  value,
  ...(expires === undefined ? {} : { expires }),
});
