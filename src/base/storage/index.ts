export { openMemoryStore } from "./memory.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";
export {
  DEFAULT_PAGE,
  MAX_FEED,
  MAX_FEED_BYTES,
  MAX_INDEX_KEY_BYTES,
  MAX_INDEX_KEYS,
  MAX_KEY_BYTES,
  MAX_PAGE,
  MAX_VALUE_BYTES,
  MAX_WRITES,
  type Change,
  type Committed,
  type IndexDefinition,
  type Item,
  type Json,
  type JsonObject,
  type ListQuery,
  type Page,
  type Store,
  type Write,
} from "./store.ts";
