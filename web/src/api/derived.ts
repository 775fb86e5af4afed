import type { QueryClient } from "@tanstack/react-query";

/** What is made from a bot's events; the second word of their keys is the bot. */
const derived: ReadonlySet<unknown> = new Set(["activity", "session", "access"]);
/** Between two askings: a busy bot does not keep the cluster counting. */
const PAUSE_MS = 2_000;
/** No bot has this name. */
const EVERY = "*";

/** Asks again for what is made from events: at once, and what comes in the moment after that together. */
export class Derived {
  readonly #client: QueryClient;
  readonly #waiting = new Set<string>();
  #calm = true;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  async ask(bots: readonly string[], all: boolean): Promise<void> {
    for (const bot of all ? [EVERY] : bots) this.#waiting.add(bot);
    if (this.#calm) await this.#askWaiting();
  }

  async #askWaiting(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const bots = new Set(this.#waiting);
    this.#waiting.clear();
    this.#calm = false;
    setTimeout(() => {
      this.#calm = true;
      void this.#askWaiting();
    }, PAUSE_MS);
    await this.#client.invalidateQueries({
      predicate: ({ queryKey: [kind, bot] }) =>
        derived.has(kind) && (bots.has(EVERY) || bots.has(String(bot))),
    });
  }
}
