import { boundKeyFingerprint } from "#base/crypto";
import { botUserName } from "./bot.ts";
import type { Token } from "./token.ts";

/** How a machine's bound key stands; locks, which are looked at apart, come before all of it. */
export type BoundKeyState = "unused" | "reset" | "rotation due" | "bound";

/** Of a token with join method bound_keypair. */
export function boundKeyState({ spec, status }: Token, now: number): BoundKeyState {
  const bound = status?.bound_keypair;
  if (!bound?.bound_public_key) return "unused";
  if (bound.reset && Date.parse(bound.reset.until) > now) return "reset";
  const after = Date.parse(spec.bound_keypair?.rotate_after ?? "");
  const last = Date.parse(bound.last_rotated_at ?? "1970-01-01T00:00:00Z");
  return after <= now && after > last ? "rotation due" : "bound";
}

/** The targets of locks (`user:bot-robot`) that keep the machine of a bound key out. */
export function boundKeyLockTargets({ metadata, spec, status }: Token): readonly string[] {
  const bound = status?.bound_keypair;
  if (!bound?.bound_public_key) return [];
  const { bot_name: bot } = spec;
  return [
    ...(bot === undefined ? [] : [`user:${botUserName(bot)}`, `role:${botUserName(bot)}`]),
    `join_token:${metadata.name}`,
    `bot_instance_id:${bound.bound_bot_instance_id}`,
    `public_key:${boundKeyFingerprint(bound.bound_public_key)}`,
  ];
}
