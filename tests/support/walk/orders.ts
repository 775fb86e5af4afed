// What an administrator does to the token of a walk.
import * as fc from "fast-check";
import { sshFingerprint } from "#base/crypto";
import { systemActor } from "#domain/audit";
import { resetToken } from "#domain/join";
import type { LockTarget } from "#domain/resources";
import type { BoundKeypairSpec } from "../join.ts";
import type { World } from "./world.ts";

export type Act = (world: World) => Promise<void>;

const edit =
  (change: (spec: BoundKeypairSpec) => BoundKeypairSpec): Act =>
  async ({ cluster }) => {
    if (await cluster.resources.get("token", "t")) await cluster.editBound("t", change);
  };

/** Whoever held the token before may still hold its key: a later life is the first machine's. */
const recreate =
  (first: "secret" | "key"): Act =>
  async (world) => {
    await removeToken(world);
    await world.makeToken(first);
  };

const removeToken: Act = async ({ cluster }) => {
  if (await cluster.resources.get("token", "t")) await cluster.remove("token", "t");
};

const rotation: Act = async (world) => {
  const rotate_after = new Date(world.cluster.clock.now()).toISOString();
  await edit((b) => ({ ...b, rotate_after }))(world);
};

/** What the first machine is, or what the token is bound to. */
async function lock(world: World, target: LockTarget): Promise<void> {
  const token = await world.cluster.resources.get("token", "t");
  const { bound_public_key: key, bound_bot_instance_id: instance } =
    token?.status?.bound_keypair ?? {};
  const values: Readonly<Record<string, string | undefined>> = {
    user: "bot-robo",
    role: "bot-robo",
    join_token: "t",
    server_id: world.machines[0]!.settings.host.hostId,
    public_key: key && sshFingerprint(key),
    bot_instance_id: instance,
  };
  const value = values[target];
  if (value) await world.cluster.lock({ [target]: value });
}

/** What an administrator does to the token, also while a machine joins. */
export const orders: fc.Arbitrary<readonly [string, Act]> = fc.oneof(
  fc
    .integer({ min: 1, max: 6 })
    .map((limit): [string, Act] => [
      `the limit becomes ${limit}`,
      edit((b) => ({ ...b, recovery: { ...b.recovery, limit } })),
    ]),
  fc
    .constantFrom("standard" as const, "relaxed" as const, "insecure" as const)
    .map((mode): [string, Act] => [
      `the mode becomes ${mode}`,
      edit((b) => ({ ...b, recovery: { ...b.recovery, mode } })),
    ]),
  fc.constant<[string, Act]>(["a rotation is asked for", rotation]),
  fc.constant<[string, Act]>(["the token is deleted", removeToken]),
  fc
    .constantFrom("secret" as const, "key" as const)
    .map((first): [string, Act] => [
      `the token is deleted and made anew for a ${first}`,
      recreate(first),
    ]),
  fc.constant<[string, Act]>([
    "the token is reset",
    async ({ cluster }) => {
      if (!(await cluster.resources.get("token", "t"))) return;
      await resetToken(cluster, "t", { actor: systemActor, remoteAddr: "local" });
    },
  ]),
  fc
    .constantFrom("user", "role", "join_token", "server_id", "public_key", "bot_instance_id")
    .map((target): [string, Act] => [`a ${target} is locked`, (world) => lock(world, target)]),
);
