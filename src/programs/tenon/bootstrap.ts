import { notFound, type Clock, type Logger } from "#base/kernel";
import { openSqliteStore, type BackedUpStore, type Store, type Write } from "#base/storage";
import { builtinRoleWrites } from "#domain/access";
import { eventIndexes } from "#domain/audit";
import { Authorities } from "#domain/authority";
import { CLUSTER_CONFIG_NAME, clusterConfigKind, storeIndexes, writeOf } from "#domain/resources";
import { signInIndexes } from "#domain/sign-in";
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface StoreOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who calls, what it may do, and the settings that decide the rest. */
const OFTEN_READ = ["cluster_config", "cluster_state", "bot", "user", "role"];

/** The store in the data directory; rejects while another process has it. */
export const openStore = ({ dataDir, clock, logger }: StoreOptions): Promise<BackedUpStore> =>
  openSqliteStore({
    directory: join(dataDir, "store"),
    clock,
    logger,
    indexes: [...storeIndexes, ...eventIndexes, ...signInIndexes],
    remember: OFTEN_READ,
  });

/** Rather than make a new cluster where one was to be restored. */
export function requireStore(dataDir: string): void {
  const file = join(dataDir, "store", "store.db");
  if (existsSync(file)) return;
  throw notFound(
    `there is no "${file}": nothing was restored there; put the backup in its place, and start again`,
  );
}

export interface FirstStart extends StoreOptions {
  readonly store: Store;
  /** As configured. */
  readonly name: string | undefined;
  /** For a new cluster that was given no name. */
  readonly defaultName: string;
}

/** Loads the cluster's authorities; a new cluster gets them with its roles and settings, in one commit. */
export async function openAuthorities(
  options: FirstStart,
): Promise<{ authorities: Authorities; isNew: boolean }> {
  const { store, clock, logger, name, defaultName } = options;
  const isNew = (await store.count({ kind: "cert_authority" })) === 0;
  const clusterName = name ?? (isNew ? defaultName : undefined);
  const authorities = await Authorities.open({
    store,
    clock,
    logger,
    ...(clusterName === undefined ? {} : { clusterName, firstWrites: firstWrites(clusterName) }),
  });
  return { authorities, isNew };
}

/** What a new cluster has from the start, beside its authorities. */
function firstWrites(clusterName: string): readonly Write[] {
  const config = clusterConfigKind.schema.parse({
    kind: clusterConfigKind.kind,
    version: clusterConfigKind.version,
    metadata: { name: CLUSTER_CONFIG_NAME },
    spec: { cluster_name: clusterName },
  });
  return [...builtinRoleWrites(), writeOf(config, "create")];
}
