import "./insight.css";
import type { ReactElement } from "react";
import { useFeature } from "../api/access.ts";
import { AccessGraph } from "./access-graph.tsx";
import { Activity } from "./activity.tsx";
import { BotEvents } from "./events.tsx";
import { RecentInstances } from "./recent.tsx";
import { Sessions } from "./sessions.tsx";

/** The wish list of RFD 0217: behind a flag of the cluster's settings until it is whole. */
export function Insights({ bot }: { bot: string }): ReactElement | null {
  if (!useFeature("bot_insights")) return null;
  return (
    <>
      <RecentInstances bot={bot} />
      <Activity bot={bot} />
      <AccessGraph bot={bot} />
      <Sessions bot={bot} />
      <BotEvents bot={bot} />
    </>
  );
}
