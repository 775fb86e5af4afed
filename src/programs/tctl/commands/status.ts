import { addFormat, formatTable, printResult, type CommandIo } from "#base/cli";
import type { GetStatusResponse } from "@tenon/api/tenon/auth/v1/auth";
import type { Command } from "commander";
import { plainAuthority } from "../authorities.ts";
import { withCluster } from "../connect.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { timeOf } from "../time.ts";

export function defineStatus(command: Command, io: CommandIo): void {
  addFormat(command);
  command.action(async () => {
    const options: ConnectionOptions & { format: "text" | "json" | "yaml" } =
      command.optsWithGlobals();
    await withCluster(options, io, async ({ auth }) => {
      const status = await auth.getStatus({});
      const { format } = options;
      await printResult(io, { format, value: plainOf(status), text: () => textOf(status) });
    });
  });
}

function plainOf(status: GetStatusResponse): object {
  return {
    cluster_name: status.clusterName,
    version: status.version,
    proxy_public_addr: status.proxyPublicAddr,
    started_at: timeOf(status.startedAt),
    ca_pins: status.caPins,
    authorities: status.authorities.map(plainAuthority),
    counts: Object.fromEntries(
      Object.entries(status.counts).map(([kind, count]) => [kind, Number(count)]),
    ),
  };
}

function textOf(status: GetStatusResponse): string {
  const facts = [
    ["Cluster", status.clusterName],
    ["Version", status.version],
    ["Proxy", status.proxyPublicAddr],
    ["Running since", timeOf(status.startedAt)],
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
  return [lines.join(""), authorities, counts].join("\n");
}
