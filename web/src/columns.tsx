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

const host: Column<Instance> = {
  heading: "Host",
  width: "minmax(4rem, 1fr)",
  wide: true,
  cell: ({ hostname }) => hostname || "—",
};

const version: Column<Instance> = {
  heading: "Version",
  width: "minmax(4rem, 7rem)",
  wide: true,
  cell: ({ version: text }) => text || "—",
};

const joinMethod: Column<Instance> = {
  heading: "Join method",
  width: "9rem",
  wide: true,
  cell: ({ join_method }) => join_method || "—",
};

const health: Column<Instance> = {
  heading: "Health",
  width: "6.5rem",
  cell: (row) => <InstanceHealth instance={row} />,
};

const lastActive: Column<Instance> = {
  heading: "Last active",
  width: "8.5rem",
  sort: "last_active_at",
  downFirst: true,
  cell: ({ last_active_at }) => <Time at={last_active_at} />,
};

/** By name they are sorted by their bot: it is what their names begin with. */
export const instanceColumns = [
  instance,
  { ...bot, sort: "name" },
  host,
  version,
  health,
  lastActive,
];
export const ownInstanceColumns = [instance, host, joinMethod, health, lastActive];
