import type { ReactElement } from "react";
import { useFeature } from "../api/access.ts";
import { BotEvents } from "./events.tsx";

/** The wish list of RFD 0217: behind a flag of the cluster's settings until it is whole. */
export function Insights({ bot }: { bot: string }): ReactElement | null {
  if (!useFeature("bot_insights")) return null;
  return <BotEvents bot={bot} />;
}
