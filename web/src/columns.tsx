import { Time, type Column } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import type { Instance } from "./api/types.ts";
import { InstanceHealth } from "./health.tsx";

const SHORT = 8;

const instance: Column<Instance> = {
  heading: "Instance",
  width: "6rem",
  cell: ({ bot_name, instance_id }) => (
    <Link
      to="/bots/$name/instances/$id"
      params={{ name: bot_name, id: instance_id }}
      className="mono"
      title={instance_id}
    >
      {instance_id.slice(0, SHORT)}
    </Link>
  ),
};

const bot: Column<Instance> = {
  heading: "Bot",
  width: "minmax(4rem, 1fr)",
  cell: ({ bot_name }) => (
    <Link to="/bots/$name" params={{ name: bot_name }}>
      {bot_name}
    </Link>
  ),
};

const rest: readonly Column<Instance>[] = [
  {
    heading: "Host",
    width: "minmax(4rem, 1fr)",
    wide: true,
    cell: ({ hostname }) => hostname || "—",
  },
  {
    heading: "Join method",
    width: "9rem",
    wide: true,
    cell: ({ join_method }) => join_method || "—",
  },
  { heading: "Health", width: "6.5rem", cell: (row) => <InstanceHealth instance={row} /> },
  {
    heading: "Last active",
    width: "7.5rem",
    cell: ({ last_active_at }) => <Time at={last_active_at} />,
  },
];

export const instanceColumns = [instance, bot, ...rest];
export const ownInstanceColumns = [instance, ...rest];
