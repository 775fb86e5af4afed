import { addFormat, formatTable, printResult, type CommandIo } from "#base/cli";
import { duration, durationMs } from "#base/config";
import { authorityTypes, rotationPhases } from "#domain/resources";
import type { GetStatusResponse_Authority } from "@tenon/api/tenon/auth/v1/auth";
import type { Command } from "commander";
import * as z from "zod";
import { noFlags, onCluster, type Given } from "../../action.ts";
import { plainAuthority } from "../../authorities.ts";
import { timeOf } from "../../time.ts";

const flags = z.strictObject({
  type: z.enum([...authorityTypes, "all"]).meta({ description: "which authority" }),
  phase: z.enum(rotationPhases).optional().meta({
    description: "take the rotation to this phase now; init starts one, rollback goes back",
  }),
  manual: z.boolean().default(false).meta({
    description: "go to the next phase only by command, from now on",
  }),
  grace_period: duration.optional().meta({
    description: "how long a rotation that starts takes in all, in three equal phases; default 30h",
  }),
});

type Flags = z.output<typeof flags>;

export function defineRotate(command: Command, io: CommandIo): void {
  const rotate = command.command("rotate").summary("exchange an authority's keys without downtime");
  rotate.description(
    "Exchanges an authority's keys without downtime: starts a rotation that goes through its phases by itself, or takes one to a phase.",
  );
  onCluster(addFormat(rotate), io, { schema: flags, act: rotateAuthorities });
  const status = rotate.command("status").summary("show the phase of every authority");
  status.description(
    "Shows the phase of every authority, what comes next, and how many machines that are connected have not renewed yet.",
  );
  onCluster(addFormat(status), io, { schema: noFlags, act: showStatus });
}

async function rotateAuthorities(given: Given<Flags>): Promise<void> {
  const { cluster, options, format, io } = given;
  const { type, phase = "init", manual, grace_period: grace } = options;
  const { authorities, changed } = await cluster.auth.rotateAuthority({
    types: type === "all" ? [...authorityTypes] : [type],
    phase,
    manual,
    gracePeriodSeconds: BigInt(Math.round(durationMs(grace ?? "0s") / 1_000)),
  });
  await printResult(io, {
    format,
    value: authorities.map(plainAuthority),
    text: () => [headline(type, phase, changed), tableOf(authorities), advice(given)].join(""),
  });
}

function headline(type: Flags["type"], phase: string, changed: boolean): string {
  const what = type === "all" ? "All authorities are" : `The ${type} authority is`;
  return `${what} ${changed ? "now" : "already"} in phase ${phase}.\n\n`;
}

/** What an operator should know at this point, and cannot see in the table. */
function advice({ options, tctl }: Given<Flags>): string {
  const { type, phase = "init" } = options;
  const notes = Object.entries(adviceAtInit)
    .filter(([each]) => phase === "init" && (type === "all" || type === each))
    .map(([, note]) => `  - ${note.replaceAll("tctl ", `${tctl} `)}\n`);
  return notes.length > 0 ? `\nBefore the next phase:\n${notes.join("")}` : "";
}

/** Those who verify by themselves, and hear of nothing. */
const adviceAtInit = {
  user: "give every SSH server both user authorities (tctl auth export --type user)",
  host: "join URIs and --ca-pin flags that were made before hold until the end; tctl status shows both pins",
  app: "give applications that verify our JWTs both keys (tctl auth export --type app)",
} as const;

async function showStatus({ cluster, format, io }: Given<object>): Promise<void> {
  const { authorities } = await cluster.auth.getStatus({});
  await printResult(io, {
    format,
    value: authorities.map(plainAuthority),
    text: () => tableOf(authorities),
  });
}

const tableOf = (authorities: readonly GetStatusResponse_Authority[]): string =>
  formatTable(
    authorities,
    [
      { heading: "Authority", cell: ({ type }) => type },
      { heading: "Phase", cell: ({ phase }) => phase },
      { heading: "Since", cell: ({ rotation }) => timeOf(rotation?.phaseSince ?? 0) },
      { heading: "Next", cell: nextOf },
      { heading: "Signs", cell: signsOf },
      { heading: "Behind", cell: ({ rotation }) => rotation?.behind, align: "right" },
    ],
    "No authorities.",
  );

/** As in docs/protocols/rotation.md; the server decides. */
const next: Readonly<Record<string, string>> = {
  init: "update_clients",
  update_clients: "update_servers",
  update_servers: "standby",
  rollback: "standby",
};

function nextOf({ phase, rotation }: GetStatusResponse_Authority): string {
  if (!rotation) return "";
  const at = timeOf(rotation.nextPhaseAt);
  return `${next[phase]} ${at ? `at ${at}` : "by command"}`;
}

function signsOf({ fingerprint, rotation }: GetStatusResponse_Authority): string {
  if (!rotation) return "";
  return fingerprint === rotation.newFingerprint ? "new keys" : "old keys";
}
