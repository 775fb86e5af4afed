import { addFormat, type CommandIo } from "#base/cli";
import type { Command } from "commander";
import * as z from "zod";
import { noFlags, onCluster, type Given } from "../action.ts";
import { allOf, createAll } from "../documents.ts";
import { printDocuments } from "../print.ts";
import { remove } from "./rm.ts";

const addFlags = z.strictObject({
  roles: z.array(z.string().min(1)).min(1).meta({ description: "roles of the user" }),
  logins: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: "accounts on nodes that roles with {{internal.logins}} give" }),
  traits: z
    .record(z.string().min(1), z.array(z.string()))
    .default({})
    .meta({ description: "more traits for role templates" }),
});

export function defineUsers(command: Command, io: CommandIo): void {
  const add = command.command("add").summary("add a user").argument("<name>", "name of the user");
  onCluster(add.description("Adds a user, and prints a link with which to sign in."), io, {
    schema: addFlags,
    act: addUser,
  });
  const reset = command
    .command("reset")
    .summary("make a link with which a locked-out user starts anew");
  reset.description(
    "Prints a link with which the user chooses another password or passkey. What was used before, and every session, ends when it is taken up.",
  );
  onCluster(reset.argument("<name>", "name of the user"), io, { schema: noFlags, act: resetUser });
  const ls = addFormat(command.command("ls").summary("list users").description("Lists users."));
  onCluster(ls, io, { schema: noFlags, act: listUsers });
  const rm = command.command("rm").summary("remove a user").description("Removes a user.");
  onCluster(rm.argument("<name>", "name of the user"), io, { schema: noFlags, act: removeUser });
}

async function addUser(given: Given<z.output<typeof addFlags>>): Promise<void> {
  const { cluster, args, options, io } = given;
  const { roles, logins, traits } = options;
  const name = args[0]!;
  const spec = { roles, traits: { ...traits, ...(logins.length > 0 ? { logins } : {}) } };
  await createAll(cluster, [{ kind: "user", version: "v1", metadata: { name }, spec }]);
  io.stdout.write(`user/${name} created with ${roles.join(", ")}\n`);
  await printLink(given, false);
}

const resetUser = (given: Given<object>): Promise<void> => printLink(given, true);

/** The link is a secret: whoever opens it becomes the user. */
async function printLink({ cluster, args, io }: Given<object>, recovery: boolean): Promise<void> {
  const { url, expires } = await cluster.auth.inviteUser({ user: args[0]!, recovery });
  const until = new Date(Number(expires)).toISOString();
  io.stdout.write(`sign in with this link, once, before ${until}:\n  ${url}\n`);
}

async function listUsers({ cluster, format, io }: Given<object>): Promise<void> {
  await printDocuments(io, { format, kind: "user", documents: await allOf(cluster, "user") });
}

const removeUser = async ({ cluster, args, io }: Given<object>): Promise<void> =>
  await remove(cluster, { kind: "user", name: args[0]! }, io);
