import type { Query, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client.ts";

/** Of which documents something changed; never what. */
export interface Changes {
  readonly kind: string;
  readonly names: readonly string[];
  /** Any of the kind may have changed. */
  readonly all: boolean;
}

/** A list of a busy cluster is asked for this often at most: whoever reads it needs it to hold still. */
const LIST_EVERY_MS = 2_000;

/**
 * Asks again for what shows a document that changed. A query whose `meta.about` names one document (or
 * the bot of an instance) is about that one alone; any other is a list.
 */
export class Refreshing {
  readonly #client: QueryClient;
  readonly #later = new Map<string, number>();

  constructor(client: QueryClient) {
    this.#client = client;
  }

  take({ kind, names, all }: Changes): void {
    for (const query of this.#client.getQueryCache().findAll({ queryKey: [kind] })) {
      if (waitsForPerson(query)) continue;
      const about = query.meta?.["about"];
      if (typeof about !== "string") this.#refreshList(query);
      else if (all || names.some((name) => isOf(name, about))) this.#refresh(query);
    }
  }

  close(): void {
    for (const timer of this.#later.values()) clearTimeout(timer);
  }

  #refresh({ queryKey }: Query): void {
    void this.#client.invalidateQueries({ queryKey, exact: true });
  }

  #refreshList(query: Query): void {
    const left = query.state.dataUpdatedAt + LIST_EVERY_MS - Date.now();
    if (left <= 0) return this.#refresh(query);
    const { queryHash } = query;
    if (this.#later.has(queryHash)) return;
    const again = (): void => {
      this.#later.delete(queryHash);
      this.#refresh(query);
    };
    this.#later.set(queryHash, window.setTimeout(again, left));
  }
}

/** The instance `<bot>:<id>` is of its bot, too. */
const isOf = (name: string, about: string): boolean =>
  name === about || name.startsWith(`${about}:`);

/** Asking again by itself would take away the question for a second factor that is being answered. */
export const waitsForPerson = ({ state: { data, error } }: Query): boolean =>
  data === undefined && error instanceof ApiError && error.requiresFactor;
