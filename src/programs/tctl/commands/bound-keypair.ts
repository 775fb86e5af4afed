import { addFormat, formatTable, printResult, type CommandIo } from "#base/cli";
import { boundKeyFingerprint } from "#base/crypto";
import { systemClock } from "#base/kernel";
import {
  boundKeyLockTargets,
  boundKeyState,
  expiryOf,
  lockTargetKey,
  recoveriesLeft,
  type BoundKeyState,
  type Token,
} from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { noFlags, onCluster, type Given } from "../action.ts";
import { withTimes } from "../change-token.ts";
import { allOf, changeAll, getOne } from "../documents.ts";
import { future, secondsOf, timeOf } from "../time.ts";

const rotateFlags = z.strictObject({
  at: future.default("0s").meta({
    placeholder: "time",
    description: "not before this time, or so long from now; default: at the next join",
  }),
});

export function defineBoundKeypair(command: Command, io: CommandIo): void {
  const child = (name: string, summary: string): Command =>
    command.command(name).summary(summary).description(summary);
  const ls = child("ls", "list bound keys: whose they are, recoveries, rotation, state");
  onCluster(addFormat(ls), io, { schema: noFlags, act: list });
  const rotate = child("rotate", "have the machine of a token replace its key");
  rotate.argument("<token>", "name of the token");
  onCluster(rotate, io, { schema: rotateFlags, act: rotateKey });
  const reset = child(
    "reset",
    "let the machine of a token back in: removes the locks that joining made, and accepts its next attempt whatever its join state, once",
  );
  onCluster(reset.argument("<token>", "name of the token"), io, { schema: noFlags, act: resetKey });
}

async function list({ cluster, format, io }: Given<object>): Promise<void> {
  const [tokens, locks] = await Promise.all([
    allOf(cluster, "token", { fields: { join_method: "bound_keypair" } }),
    allOf(cluster, "lock"),
  ]);
  const now = systemClock.now();
  const inForce = locks.filter((lock) => (expiryOf(lock) ?? Infinity) > now);
  const locked = new Set(inForce.map((lock) => lockTargetKey(lock)));
  const rows = tokens.map((token) => rowOf(token, { locked, now }));
  await printResult(io, { format, value: rows, text: () => tableOf(rows) });
}

type Row = ReturnType<typeof rowOf>;

function rowOf(token: Token, about: { locked: ReadonlySet<string>; now: number }) {
  const { bound_keypair: settings, bot_name: bot, roles } = token.spec;
  const status = token.status?.bound_keypair;
  const key = status?.bound_public_key;
  return {
    token: token.metadata.name,
    bot: bot ?? "",
    roles,
    state: stateOf(token, about),
    fingerprint: key ? boundKeyFingerprint(key) : "",
    instance_id: status?.bound_bot_instance_id ?? "",
    recoveries_used: status?.recovery_count ?? 0,
    recoveries_left: recoveriesLeft(token) ?? "unlimited",
    recovery_mode: settings?.recovery.mode ?? "standard",
    last_recovered_at: status?.last_recovered_at ?? "",
    last_rotated_at: status?.last_rotated_at ?? "",
    rotate_after: settings?.rotate_after ?? "",
  };
}

/** What an administrator would want to know of it first. */
function stateOf(
  token: Token,
  { locked, now }: { locked: ReadonlySet<string>; now: number },
): BoundKeyState | "locked" {
  return boundKeyLockTargets(token).some((target) => locked.has(target))
    ? "locked"
    : boundKeyState(token, now);
}

const tableOf = (rows: readonly Row[]): string =>
  formatTable(
    rows,
    [
      { heading: "Token", cell: ({ token }) => token },
      { heading: "For", cell: ({ bot, roles }) => bot || roles.join(", ") },
      { heading: "State", cell: ({ state }) => state },
      { heading: "Key", cell: ({ fingerprint }) => fingerprint },
      { heading: "Used", cell: (row) => row.recoveries_used, align: "right" },
      { heading: "Left", cell: (row) => row.recoveries_left, align: "right" },
      { heading: "Last recovered", cell: (row) => secondsOf(row.last_recovered_at) },
      { heading: "Last rotated", cell: (row) => secondsOf(row.last_rotated_at) },
    ],
    "No bound keys. Make a token: tctl bots add NAME --roles access",
  );

async function rotateKey({
  cluster,
  args,
  options,
  io,
}: Given<z.output<typeof rotateFlags>>): Promise<void> {
  const name = args[0]!;
  const { documents } = await changeAll(
    cluster,
    async () => [await getOne(cluster, "token", name)],
    (tokens) => tokens.map((token) => withTimes(token, { rotate_after: options.at })),
  );
  const [token] = documents;
  const at = token?.kind === "token" ? token.spec.bound_keypair?.rotate_after : undefined;
  io.stdout.write(
    at === undefined
      ? `token/${name} changed: its key is not to be replaced\n`
      : `token/${name} changed: the machine's first join after ${at} replaces its key\n`,
  );
}

async function resetKey({ cluster, args, io, tctl }: Given<object>): Promise<void> {
  const name = args[0]!;
  const { locks, until } = await cluster.auth.resetBoundKeypair({ token: name });
  for (const lock of locks) io.stdout.write(`lock/${lock} removed\n`);
  io.stdout.write(
    until === 0n
      ? `token/${name} has no bound key yet: there is nothing else to reset\n`
      : `token/${name} reset: until ${timeOf(until)} the next attempt of its key is accepted, whatever its join state; make sure that no copy of the machine comes first. Watch it: ${tctl} audit ls --type bot.join\n`,
  );
}
