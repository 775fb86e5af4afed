import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { site } from "./client.ts";
import { Derived } from "./derived.ts";
import { takeNews, type News } from "./news.ts";

/** Kinds that decide what a bot reaches. */
const shapesAccess = new Set(["bot", "role", "lock", "app", "node", "db", "kube_cluster"]);

/**
 * Follows the cluster's changes over one stream; what shows a kind that changed is asked for again.
 * False while the stream is down: the browser opens another by itself, and then everything is asked again.
 */
export function useLive(): boolean {
  const client = useQueryClient();
  const [up, setUp] = useState(true);
  useEffect(() => {
    const stream = new EventSource(`${site}/live`);
    const changed = (event: MessageEvent<string>): void => {
      const { kind } = JSON.parse(event.data) as { kind: string };
      void client.invalidateQueries({ queryKey: [kind] });
      if (shapesAccess.has(kind)) void client.invalidateQueries({ queryKey: ["access"] });
    };
    // One after the other, so that what one brought the next one knows.
    let taken = Promise.resolve();
    const derived = new Derived(client);
    const heard = (event: MessageEvent<string>): void => {
      const news = JSON.parse(event.data) as News;
      taken = taken.then(() => takeNews(client, derived, news)).catch(() => undefined);
    };
    let lost = false;
    stream.addEventListener("ready", () => {
      if (lost) void client.invalidateQueries();
      lost = false;
      setUp(true);
    });
    stream.addEventListener("changed", changed);
    stream.addEventListener("deleted", changed);
    stream.addEventListener("events", heard);
    stream.addEventListener("error", () => {
      lost = true;
      setUp(false);
    });
    return () => stream.close();
  }, [client]);
  return up;
}
