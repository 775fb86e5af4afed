import { boundKeyFingerprint, constantTimeEqual, randomToken } from "#base/crypto";
import { CodedError } from "#base/kernel";
import type { Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { OfferedKey } from "../../challenge.ts";
import { agentHolder } from "./agent-holder.ts";
import { botHolder } from "./bot-holder.ts";
import { pretendToRead } from "./decoy.ts";
import { keyOfState, type KeyOfState } from "./join-state.ts";
import type { BoundSpec, BoundStatus, EligibleToken, Request } from "./request.ts";

/** A check whose failure a stranger must not notice: it is kept until the challenge has run. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

const passed = <T>(value: T): Checked<T> => ({ ok: true, value });
const failed = (reason: string): Checked<never> => ({ ok: false, reason });

/** No bot has this name: it starts with a sign that names must not start with. */
const NO_BOT = "-";

/**
 * 1. "Token exists, is for this method, not expired, and its `bot_name` exists. A stranger cannot
 * tell which of these failed." For an agent it is for the role that it joins as.
 *
 * Both documents are read whatever the first one says, for the time it takes; and a decoy of each
 * that is not there.
 */
export async function eligibleToken(
  deps: JoinDependencies,
  attempt: Attempt,
): Promise<Checked<EligibleToken>> {
  const { resources, clock } = deps;
  const token = await resources.get("token", attempt.token);
  const bot = await resources.get("bot", token?.spec.bot_name ?? NO_BOT);
  pretendToRead({ token, bot });
  if (!token) return failed("there is no such token");
  if (token.spec.join_method !== "bound_keypair" || !token.spec.bound_keypair)
    return failed(`the token is for join method "${token.spec.join_method}"`);
  const { expires } = token.metadata;
  if (expires !== undefined && Date.parse(expires) <= clock.now())
    return failed(`the token expired at ${expires}`);
  const { roles, bot_name, bound_keypair: spec } = token.spec;
  if (!roles.includes(attempt.role))
    return failed(`the token is for ${roles.join(", ")}, not for "${attempt.role}"`);
  const status = statusOf(token.status?.bound_keypair, spec);
  if (attempt.role !== "Bot")
    return passed({ token, spec, status, holder: agentHolder(deps, attempt, status) });
  if (!bot) return failed(`the token's bot "${bot_name ?? ""}" does not exist`);
  return passed({ token, spec, status, holder: botHolder(deps, attempt, bot) });
}

/** A token that nothing has touched since it was written has no status of its own yet. */
function statusOf(status: BoundStatus | undefined, spec: BoundSpec): BoundStatus {
  if (status) return status;
  const { registration_secret } = spec.onboarding;
  return {
    bound_public_key: "",
    first_instance_id: "",
    bound_bot_instance_id: "",
    recovery_count: 0,
    recovery_sequence: 0,
    ...(registration_secret ? { registration_secret } : {}),
  };
}

/**
 * Why a key may be challenged. A rotation replaced a `former` one: it can only repeat the attempt
 * that replaced it, and otherwise shows a copy.
 */
export type KeyRight = "bound" | "initial" | "registration" | "former";

/**
 * 2. "Key to challenge: the bound key; else `onboarding.initial_public_key`; else, with a correct
 * `registration_secret` (constant time) before `must_register_before`, the key that the client
 * offers."
 *
 * The challenge goes to the key that the client offers in any case; here is what entitles that key.
 */
export function keyRight(about: {
  readonly deps: Pick<JoinDependencies, "authorities">;
  readonly eligible: Pick<EligibleToken, "spec" | "status">;
  readonly request: Request;
  readonly now: number;
}): Checked<KeyRight> {
  const { deps, request, now } = about;
  const { spec, status } = about.eligible;
  const { initial_public_key, must_register_before } = spec.onboarding;
  const matches = compare(request, {
    key: status.bound_public_key || initial_public_key,
    secret: status.registration_secret,
  });
  if (status.bound_public_key !== "" && matches.key) return passed("bound");
  const former = rightOfFormer(status, request, keyOfState(deps, request));
  if (status.bound_public_key !== "") return former;
  if (initial_public_key !== "")
    return matches.key
      ? passed("initial")
      : failed(`key "${request.key.fingerprint}" is not the token's initial_public_key`);
  if (!matches.secret) return failed("the registration secret is missing, wrong or used up");
  if (must_register_before !== undefined && now >= Date.parse(must_register_before))
    return failed(`registration ended at ${must_register_before}`);
  return passed("registration");
}

/**
 * The last few former keys are in the status. A machine can rotate as often as it likes, and a thief
 * could push its victim's key out of that list; so the join state says which key was bound with it.
 */
function rightOfFormer(
  status: BoundStatus,
  { key }: Request,
  past: KeyOfState | undefined,
): Checked<KeyRight> {
  const { former_public_keys = [] } = status;
  const witnessed = past?.key === key.fingerprint && wasReplaced(past, status);
  // Both lines are as `readOfferedKey` makes them, so that this takes no time to speak of.
  if (witnessed || former_public_keys.includes(key.line)) return passed("former");
  return failed(`key "${key.fingerprint}" is not the bound one`);
}

/** A state from after the last rotation is of a store that has been put back since: no former key. */
function wasReplaced(
  past: KeyOfState,
  { first_instance_id, last_rotated_at }: BoundStatus,
): boolean {
  if (past.life !== first_instance_id || last_rotated_at === undefined) return false;
  return past.at <= Date.parse(last_rotated_at);
}

/** Both are compared, whichever counts. An empty secret is none, on either side. */
function compare(
  { key, secret }: Request,
  expected: { readonly key: string; readonly secret: string | undefined },
): { key: boolean; secret: boolean } {
  const sameKey = isKey(expected.key || key.line, key);
  const sameSecret = constantTimeEqual(expected.secret || randomToken(), secret);
  return { key: sameKey && expected.key !== "", secret: sameSecret && secret !== "" };
}

/** Comments and spacing aside; an administrator's line may also be no key at all. */
export function isKey(line: string, key: OfferedKey): boolean {
  try {
    return boundKeyFingerprint(line) === key.fingerprint;
  } catch (error) {
    if (error instanceof CodedError) return false;
    throw error;
  }
}
