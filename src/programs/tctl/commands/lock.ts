import type { CommandIo } from "#base/cli";
import { duration, durationMs } from "#base/config";
import { systemClock } from "#base/kernel";
import { lockTargets, type LockTarget } from "#domain/resources";
import type { Command } from "commander";
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { onCluster, type Given } from "../action.ts";
import { createAll } from "../documents.ts";
import { timeOf } from "../time.ts";

const meanings: Readonly<Record<LockTarget, string>> = {
  user: "every session of this user",
  role: "everyone who has this role",
  login: "everyone who logs in as this account",
  mfa_device: "this second factor",
  server_id: "this agent or proxy",
  bot_instance_id: "this one instance of a bot",
  join_token: "everything that joined with this token, and further joins",
  public_key: "the holder of this key: a fingerprint (SHA256:…) or an OpenSSH line",
};

const targetFlag = (name: LockTarget) =>
  z.string().min(1).optional().meta({ description: meanings[name] });

const flags = z
  .strictObject({
    ...(Object.fromEntries(lockTargets.map((name) => [name, targetFlag(name)])) as Record<
      LockTarget,
      z.ZodOptional<z.ZodString>
    >),
    message: z
      .string()
      .max(1024)
      .default("")
      .meta({ description: "the reason, shown to the locked" }),
    ttl: duration.optional().meta({ description: "end of the lock; without it, it stays" }),
  })
  .superRefine((value, context) => {
    const named = lockTargets.filter((name) => value[name] !== undefined);
    if (named.length === 1) return;
    const allowed = lockTargets.map((name) => `--${name.replaceAll("_", "-")}`).join(", ");
    const message = named.length === 0 ? "is missing" : "is given more than once";
    context.addIssue({ code: "custom", message: `the target ${message}; give one of ${allowed}` });
  });

export function defineLock(command: Command, io: CommandIo): void {
  command.addHelpText("after", "\nA lock is removed with: tctl rm lock/NAME");
  onCluster(command, io, { schema: flags, act: lock });
}

async function lock({ cluster, options, io, tctl }: Given<z.output<typeof flags>>): Promise<void> {
  const { message, ttl, ...target } = options;
  const name = randomUUID();
  const expires = ttl && timeOf(systemClock.now() + durationMs(ttl));
  const spec = { target, message, ...(expires ? { expires } : {}) };
  await createAll(cluster, [{ kind: "lock", version: "v2", metadata: { name }, spec }]);
  const until = expires ? `until ${expires}` : "until it is removed";
  const [which, value] = Object.entries(target)[0]!;
  io.stdout.write(
    `${which} "${value}" is locked ${until}; to unlock it sooner: ${tctl} rm lock/${name}\n`,
  );
}
