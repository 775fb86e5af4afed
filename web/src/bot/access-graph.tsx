import { Button, Loading, Notice, Panel } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, type ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { accessOf } from "../api/insight.ts";
import type { AccessGraph as Access } from "../api/types.ts";
import { counted } from "../format.ts";
import { kindTitles } from "./graph-nodes.ts";

const AccessDrawing = lazy(async () => ({
  default: (await import("./access-drawing.tsx")).AccessDrawing,
}));

/** What the bot reaches, by which of its roles, and what it is connected to now. */
export function AccessGraph({ bot }: { bot: string }): ReactElement {
  const { data, error, refetch, isFetching } = useQuery(accessOf(bot));
  return (
    <Panel
      title="Access graph"
      actions={
        <Button look="quiet" busy={isFetching} onClick={() => void refetch()}>
          Refresh
        </Button>
      }
    >
      {error ? (
        <Problem error={error} what="Viewing the access graph" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <div className={data.locked ? "access locked" : "access"}>
          {data.locked && (
            <Notice tone="warn">
              This bot is locked: nothing of this works now. It is what would, without the lock.
            </Notice>
          )}
          <Suspense fallback={<Loading />}>
            <AccessDrawing bot={bot} graph={data} />
          </Suspense>
          <Rest graph={data} />
        </div>
      )}
    </Panel>
  );
}

/** What is not drawn, and why. */
function Rest({ graph }: { graph: Access }): ReactElement | null {
  const { hidden } = graph;
  const left = restOf(graph);
  if (left.length === 0 && hidden.length === 0) return null;
  return (
    <p className="soft">
      {left.length > 0 && `Not drawn: ${left.join(", ")}. `}
      {hidden.length > 0 && `Your roles do not show ${hidden.map(hiddenText).join(", ")}.`}
    </p>
  );
}

function restOf({ roles, resources, sessions, totals }: Access): string[] {
  const shown: Readonly<Record<string, number>> = {
    role: roles.length,
    session: sessions.length,
    ...Object.fromEntries(
      Object.keys(kindTitles).map((kind) => [
        kind,
        resources.filter((resource) => resource.kind === kind).length,
      ]),
    ),
  };
  return Object.entries(totals).flatMap(([kind, { count, partial }]) => {
    const left = count - (shown[kind] ?? 0);
    if (left <= 0 && !partial) return [];
    return [`${partial ? "at least " : ""}${counted(left, ...titleOf(kind))} more`];
  });
}

const titles: Readonly<Record<string, readonly [one: string, many: string]>> = {
  ...kindTitles,
  role: ["role", "roles"],
  session: ["open connection", "open connections"],
};
const titleOf = (kind: string): readonly [string, string] => titles[kind] ?? [kind, kind];

const hiddenTexts: Readonly<Record<string, string>> = {
  role: "what roles open",
  event: "connections",
  lock: "locks",
};
const hiddenText = (what: string): string => hiddenTexts[what] ?? titleOf(what)[1];
