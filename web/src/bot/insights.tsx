import "./insight.css";
import type { ReactElement } from "react";
import { AccessGraph } from "./access-graph.tsx";
import { Activity } from "./activity.tsx";
import { BotEvents } from "./events.tsx";
import { RecentInstances } from "./recent.tsx";
import { Sessions } from "./sessions.tsx";

/** The wish list of RFD 0217. */
export const Insights = ({ bot }: { bot: string }): ReactElement => (
  <>
    <RecentInstances bot={bot} />
    <Activity bot={bot} />
    <AccessGraph bot={bot} />
    <Sessions bot={bot} />
    <BotEvents bot={bot} />
  </>
);
