import { addFormat, formatTable, printResult, type CommandIo } from "#base/cli";
import type { GetStatusResponse, ListAlertsResponse } from "@tenon/api/tenon/auth/v1/auth";
import type { Command } from "commander";
import { plainAuthority } from "../authorities.ts";
import { withCluster } from "../connect.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { timeOf } from "../time.ts";
import { alertsOf, alertsTable } from "./alerts.ts";

export function defineStatus(command: Command, io: CommandIo): void {
  addFormat(command);
  command.action(async () => {
    const options: ConnectionOptions & { format: "text" | "json" | "yaml" } =
      command.optsWithGlobals();
    await withCluster(options, io, async ({ auth }) => {
      const [status, alerts] = await Promise.all([auth.getStatus({}), auth.listAlerts({})]);
      const { format } = options;
      const value = { ...plainOf(status), alerts: alertsOf(alerts) };
      await printResult(io, { format, value, text: () => textOf(status, alerts) });
    });
  });
}

function plainOf(status: GetStatusResponse): object {
  return {
    cluster_name: status.clusterName,
    version: status.version,
    proxy_public_addr: status.proxyPublicAddr,
    started_at: timeOf(status.startedAt),
    resync_until: timeOf(status.resyncUntil),
    ca_pins: status.caPins,
    authorities: status.authorities.map(plainAuthority),
    counts: Object.fromEntries(
      Object.entries(status.counts).map(([kind, count]) => [kind, Number(count)]),
    ),
  };
}

function textOf(status: GetStatusResponse, alerts: ListAlertsResponse): string {
  const resync = timeOf(status.resyncUntil);
  const facts = [
    ["Cluster", status.clusterName],
    ["Version", status.version],
    ["Proxy", status.proxyPublicAddr],
    ["Running since", timeOf(status.startedAt)],
    ...(resync ? [["Resync until", resync] as const] : []),
    ...status.caPins.map((pin) => ["CA pin", pin] as const),
  ] as const;
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(15)}${value}\n`);
  const authorities = formatTable(
    status.authorities,
    [
      { heading: "Authority", cell: ({ type }) => type },
      { heading: "Phase", cell: ({ phase }) => phase },
      { heading: "Fingerprint", cell: ({ fingerprint }) => fingerprint },
      { heading: "Until", cell: ({ notAfter }) => timeOf(notAfter) },
    ],
    "No authorities.",
  );
  const counts = formatTable(
    Object.entries(status.counts).toSorted(([a], [b]) => a.localeCompare(b)),
    [
      { heading: "Kind", cell: ([kind]) => kind },
      { heading: "Count", cell: ([, count]) => String(count), align: "right" },
    ],
    "No resources.",
  );
  const warnings = alerts.alerts.length > 0 ? [alertsTable(alerts)] : [];
  return [lines.join(""), ...warnings, authorities, counts].join("\n");
}
