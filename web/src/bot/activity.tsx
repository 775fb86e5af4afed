import { Loading, Panel } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, type ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { activityOf } from "../api/insight.ts";

const ActivityChart = lazy(async () => ({
  default: (await import("./activity-chart.tsx")).ActivityChart,
}));

const ranges = [
  ["hour", "Hour"],
  ["day", "Day"],
  ["week", "Week"],
] as const;

/** How often the bot did what; which range is shown stands in the address. */
export function Activity({ bot }: { bot: string }): ReactElement {
  const { range = "day" } = useSearch({ from: "/shell/bots/$name" });
  const { data, error, refetch } = useQuery(activityOf(bot, range));
  return (
    <Panel
      title="Activity"
      actions={
        <nav className="segments" aria-label="Range of time">
          {ranges.map(([id, title]) => (
            <Link
              key={id}
              to="/bots/$name"
              params={{ name: bot }}
              search={id === "day" ? {} : { range: id }}
              resetScroll={false}
              replace
              className="segment"
              aria-current={id === range ? "true" : undefined}
            >
              {title}
            </Link>
          ))}
        </nav>
      }
    >
      {error ? (
        <Problem error={error} what="Viewing the activity" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Suspense fallback={<Loading />}>
          <ActivityChart activity={data} />
        </Suspense>
      )}
    </Panel>
  );
}
