import type { Failure } from "../conditions.ts";
import type { Write } from "../store.ts";

/** What the worker is started with. */
export interface WorkerOptions {
  readonly file: string;
  readonly feedEntries: number;
  readonly feedBytes: number;
  /** The file may grow to this size; writes beyond are refused. */
  readonly maxBytes?: number;
}

/** One write as the worker binds it; an object would cost its property names in every message. */
export type WireWrite = readonly [
  op: Write["op"],
  kind: string,
  name: string,
  revision: string | null | undefined,
  json: string | null,
  expires: number | null,
  /** `[[index id, key], …]` as JSON, or empty. */
  keys: string,
];

export type Request =
  | { readonly do: "commit"; readonly now: number; readonly writes: readonly WireWrite[] }
  | { readonly do: "sweep"; readonly now: number };

/** The worker answers every request once, in order. */
export type Reply =
  | { readonly is: "committed"; readonly position: number }
  | { readonly is: "swept"; readonly deleted: readonly Deleted[]; readonly next: number | null }
  | { readonly is: "failed"; readonly failure: Failure };

export interface Deleted {
  readonly position: number;
  readonly kind: string;
  readonly name: string;
}

/** Requests travel in batches, one message for each turn of the sender's loop; `close` ends the worker. */
export type ToWorker = readonly Request[] | "close";
export type FromWorker =
  | { readonly is: "ready" }
  | { readonly is: "broken"; readonly failure: Failure }
  | { readonly is: "replies"; readonly replies: readonly Reply[] };

/** What the thread of a backup is started with; it ends by itself. */
export interface BackupOptions {
  readonly backup: { readonly from: string; readonly to: string };
}
export type FromBackup =
  | { readonly is: "copied" }
  | { readonly is: "failed"; readonly failure: Failure };
