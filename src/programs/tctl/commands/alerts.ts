import { addFormat, formatTable, printResult, type CommandIo } from "#base/cli";
import type { ListAlertsResponse } from "@tenon/api/tenon/auth/v1/auth";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../action.ts";

export function defineAlerts(command: Command, io: CommandIo): void {
  const summary = "list what needs an administrator now";
  const ls = addFormat(command.command("ls").summary(summary).description(summary));
  ls.addHelpText(
    "after",
    "\nThe threshold for recoveries is spec.recovery_alert_threshold: tctl edit cluster_config/cluster",
  );
  onCluster(ls, io, { schema: noFlags, act: list });
}

async function list({ cluster, format, io }: Given<object>): Promise<void> {
  const response = await cluster.auth.listAlerts({});
  const value = alertsOf(response);
  await printResult(io, { format, value, text: () => alertsTable(response) });
}

export const alertsOf = ({ alerts }: ListAlertsResponse): object[] =>
  alerts.map(({ type, severity, subject, message }) => ({ type, severity, subject, message }));

export function alertsTable({ alerts, truncated }: ListAlertsResponse): string {
  const table = formatTable(
    alerts,
    [
      { heading: "Alert", cell: ({ type }) => type },
      { heading: "Severity", cell: ({ severity }) => severity },
      { heading: "About", cell: ({ subject }) => subject },
      { heading: "Message", cell: ({ message }) => message },
    ],
    "No alerts.",
  );
  return truncated ? `${table}There are more.\n` : table;
}
