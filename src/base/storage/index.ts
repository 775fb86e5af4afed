export { openMemoryStore } from "./memory.ts";
export { openSqliteStore } from "./sqlite.ts";
export {
  MAX_INDEX_KEY_BYTES,
  MAX_INDEX_KEYS,
  MAX_KEY_BYTES,
  MAX_PAGE,
  MAX_VALUE_BYTES,
  MAX_WRITES,
  type BackedUpStore,
  type Change,
  type Committed,
  type IndexDefinition,
  type IndexUse,
  type Item,
  type Json,
  type JsonObject,
  type ListQuery,
  type Store,
  type Tally,
  type TallyQuery,
  type Write,
} from "./store.ts";
