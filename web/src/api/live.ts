import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Refreshing, waitsForPerson, type Changes } from "./changes.ts";
import { site } from "./client.ts";
import { Derived } from "./derived.ts";
import { takeNews, type News } from "./news.ts";
import { tellOver } from "./over.ts";

/** Kinds that decide what a bot reaches. */
const shapesAccess = new Set(["bot", "role", "lock", "app", "node", "db", "kube_cluster"]);

/** By then what a page asks for as it opens has come, and is not asked for twice at once. */
const SETTLE_MS = 500;
/** A stream that is opened anew at once is no lost connection. */
const GRACE_MS = 2_000;
const FIRST_RETRY_MS = 1_000;
/** Of a proxy that is too old to have a stream, too. */
const LAST_RETRY_MS = 30_000;

/**
 * Follows the cluster's changes over one stream; what shows a kind that changed is asked for again.
 * False while the stream is down: another is opened, and then everything is asked again.
 */
export function useLive(active: boolean): boolean {
  const client = useQueryClient();
  const [up, setUp] = useState(true);
  useEffect(() => {
    if (!active) return undefined;
    const live = new Live(client, setUp);
    return () => live.close();
  }, [client, active]);
  return up;
}

class Live {
  readonly #client: QueryClient;
  readonly #tell: (up: boolean) => void;
  #stream: EventSource;
  readonly #derived: Derived;
  readonly #refreshing: Refreshing;
  /** One after the other, so that what one brought the next one knows. */
  #taken = Promise.resolve();
  #lost = false;
  #retryMs = FIRST_RETRY_MS;
  #telling: number | undefined;
  #opening: number | undefined;
  #asking: number | undefined;

  constructor(client: QueryClient, tell: (up: boolean) => void) {
    this.#client = client;
    this.#tell = tell;
    this.#derived = new Derived(client);
    this.#refreshing = new Refreshing(client);
    this.#stream = this.#open();
  }

  close(): void {
    clearTimeout(this.#telling);
    clearTimeout(this.#opening);
    clearTimeout(this.#asking);
    this.#refreshing.close();
    this.#stream.close();
  }

  #open(): EventSource {
    const stream = new EventSource(`${site}/live`);
    stream.addEventListener("ready", () => this.#ready());
    stream.addEventListener("changed", (event) => this.#changed(event));
    stream.addEventListener("events", (event) => this.#heard(event));
    stream.addEventListener("viewer", () => this.#askAgain());
    stream.addEventListener("over", (event) => tellOver(textIn(event, "reason")));
    stream.addEventListener("error", () => this.#failed());
    return stream;
  }

  #askAgain(): void {
    void this.#client.invalidateQueries({ predicate: (query) => !waitsForPerson(query) });
  }

  #changed(event: MessageEvent<string>): void {
    const changes = JSON.parse(event.data) as Changes;
    this.#refreshing.take(changes);
    const { kind } = changes;
    if (shapesAccess.has(kind)) void this.#client.invalidateQueries({ queryKey: ["access"] });
  }

  #heard(event: MessageEvent<string>): void {
    const news = JSON.parse(event.data) as News;
    this.#taken = this.#taken
      .then(() => takeNews(this.#client, this.#derived, news))
      .catch(() => undefined);
  }

  #ready(): void {
    // What was asked for before the stream was there may have changed since: the viewer first of all.
    void this.#client.invalidateQueries({ queryKey: ["viewer"] });
    clearTimeout(this.#asking);
    const again = (): void => this.#askAgain();
    this.#asking = window.setTimeout(again, this.#lost ? 0 : SETTLE_MS);
    this.#lost = false;
    this.#retryMs = FIRST_RETRY_MS;
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#tell(true);
  }

  /** The browser tries again where the connection broke; after a refusal we do, and ask why. */
  #failed(): void {
    this.#lost = true;
    this.#telling ??= window.setTimeout(() => this.#tell(false), GRACE_MS);
    if (this.#stream.readyState !== EventSource.CLOSED) return;
    void this.#client.invalidateQueries({ queryKey: ["viewer"] });
    this.#opening = window.setTimeout(() => (this.#stream = this.#open()), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}

const textIn = (event: MessageEvent<string>, field: string): string =>
  (JSON.parse(event.data) as Record<string, string>)[field] ?? "";
