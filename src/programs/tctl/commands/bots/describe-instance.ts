import { formatTable } from "#base/cli";
import type { Authentication, BotInstance, Heartbeat, ServiceHealth } from "#domain/resources";
import { secondsOf } from "../../time.ts";

/** For people; programs take the document itself. */
export function describeInstance({ spec, status }: BotInstance): string {
  const facts = [
    ["Bot", spec.bot_name],
    ["Instance", spec.instance_id],
    ["Previous", spec.previous_instance_id ?? "none"],
    ["Generation", String(status?.generation ?? "")],
  ] as const;
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(12)}${value}\n`).join("");
  const notices = (status?.notices ?? []).map((notice) => `Notice: ${notice}\n`).join("");
  return [
    lines,
    ...(notices ? [notices] : []),
    servicesOf(status?.service_health ?? []),
    joinsOf(status?.latest_authentications ?? []),
    heartbeatsOf(status?.latest_heartbeats ?? []),
  ].join("\n");
}

const servicesOf = (services: readonly ServiceHealth[]): string =>
  formatTable(
    services,
    [
      { heading: "Service", cell: ({ name }) => name },
      { heading: "Type", cell: ({ type }) => type },
      { heading: "Status", cell: ({ status }) => status },
      { heading: "Since", cell: (service) => secondsOf(service.updated_at) },
      { heading: "Reason", cell: ({ reason }) => reason },
    ],
    "No services reported.",
  );

const joinsOf = (joins: readonly Authentication[]): string =>
  formatTable(
    joins.toReversed(),
    [
      { heading: "Joined", cell: ({ time }) => secondsOf(time) },
      { heading: "How", cell: ({ recovery }) => (recovery ? "recovery" : "refresh") },
      { heading: "Method", cell: (join) => join.join_method },
      { heading: "Generation", cell: ({ generation }) => generation, align: "right" },
      { heading: "From", cell: (join) => join.remote_addr },
    ],
    "No joins.",
  );

const heartbeatsOf = (heartbeats: readonly Heartbeat[]): string =>
  formatTable(
    heartbeats.toReversed(),
    [
      { heading: "Heard", cell: ({ time }) => secondsOf(time) },
      { heading: "Host", cell: ({ hostname }) => hostname },
      { heading: "Version", cell: ({ version }) => version },
      { heading: "System", cell: ({ os, architecture }) => `${os} ${architecture}` },
      { heading: "Up (s)", cell: (beat) => beat.uptime_seconds, align: "right" },
    ],
    "No heartbeats.",
  );
