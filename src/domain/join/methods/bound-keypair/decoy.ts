import { fromItem, type Bot, type Token } from "#domain/resources";
import type { BoundSpec, BoundStatus } from "./request.ts";

/** A public key whose private half nobody has: any 32 bytes are one. */
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const instance = "00000000-0000-4000-8000-000000000000";
const time = "2026-01-01T00:00:00.000Z";

/** As the store has the token of a machine that has joined and refreshed, which most of them are. */
const token = JSON.stringify({
  kind: "token",
  version: "v2",
  metadata: { name: "decoy", labels: {} },
  spec: {
    roles: ["Bot"],
    bot_name: "decoy",
    join_method: "bound_keypair",
    bound_keypair: {
      onboarding: { must_register_before: time },
      recovery: { limit: 1, mode: "standard" },
    },
  },
  status: {
    bound_keypair: {
      bound_public_key: key,
      first_instance_id: instance,
      bound_bot_instance_id: instance,
      recovery_count: 1,
      recovery_sequence: 1,
      last_recovered_at: time,
    },
  },
});
const bot = JSON.stringify({
  kind: "bot",
  version: "v1",
  metadata: { name: "decoy", labels: {} },
  spec: { roles: ["access"], traits: [] },
});

const read = (kind: "token" | "bot", text: string): unknown =>
  fromItem({ kind, name: "decoy", value: JSON.parse(text), revision: "1" });

const decoyToken = read("token", token) as Token;

/** What steps 2 and 3 work on where there is no token to ask. */
export const decoy: { readonly spec: BoundSpec; readonly status: BoundStatus } = {
  spec: decoyToken.spec.bound_keypair!,
  status: decoyToken.status!.bound_keypair!,
};

/** Takes the time of reading what was not there. */
export function pretendToRead(found: {
  readonly token: Token | undefined;
  readonly bot: Bot | undefined;
}): void {
  if (!found.token) read("token", token);
  if (!found.bot) read("bot", bot);
}
