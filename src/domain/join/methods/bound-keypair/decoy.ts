import { fromItem, MAX_FORMER_KEYS, type Bot, type Token } from "#domain/resources";
import type { BoundSpec, BoundStatus } from "./request.ts";

/** Public keys whose private halves nobody has: any 32 bytes are one. */
const line = (byte: number): string => {
  const type = "ssh-ed25519";
  const length = (n: number): Buffer => Buffer.from([0, 0, 0, n]);
  const parts = [length(type.length), Buffer.from(type), length(32), Buffer.alloc(32, byte)];
  return `${type} ${Buffer.concat(parts).toString("base64")}`;
};
const former = Array.from({ length: MAX_FORMER_KEYS }, (_, i) => line(i + 1));
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
      bound_public_key: line(0),
      bound_bot_instance_id: instance,
      bound_since: time,
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

/** As many former keys as a token can have, whatever it has. */
export const padded = (formerKeys: readonly string[]): readonly string[] =>
  [...formerKeys, ...former].slice(0, MAX_FORMER_KEYS);
