import type { BoundKeypairInit } from "@tenon/api/tenon/join/v1/join";
import { badParameter } from "#base/kernel";
import type { Token } from "#domain/resources";
import type { Attempt } from "../../attempt.ts";
import { readOfferedKey, type OfferedKey } from "../../challenge.ts";
import { checkHostId } from "../../instances/hosts.ts";
import type { Holder } from "./holder.ts";

/** What the method's block of an Init says. */
export interface Request {
  readonly attempt: Attempt;
  readonly key: OfferedKey;
  /** Empty for none. */
  readonly secret: string;
  /** The JWT of the join before; empty for none. */
  readonly joinState: string;
  /** The client itself wishes its key to be replaced. */
  readonly rotate: boolean;
}

export type BoundSpec = NonNullable<Token["spec"]["bound_keypair"]>;
export type BoundStatus = NonNullable<NonNullable<Token["status"]>["bound_keypair"]>;

/** A token that step 1 let through, with what the later steps read of it. */
export interface EligibleToken {
  readonly token: Token;
  readonly holder: Holder;
  readonly spec: BoundSpec;
  readonly status: BoundStatus;
}

/** Whether this token has ever joined anything. */
export const isUsed = ({ status }: EligibleToken): boolean => status.bound_bot_instance_id !== "";

/** Whether an administrator has reset it: the next join uses that up, needed or not. */
export const isReset = ({ status: { reset } }: EligibleToken, now: number): boolean =>
  reset !== undefined && now < Date.parse(reset.until);

/** Ours has 32 hex digits, a person's own may be a sentence. */
const MAX_SECRET = 1024;
/** Ours has some 600 characters. */
const MAX_JOIN_STATE = 4096;

export function readRequest(attempt: Attempt, block: BoundKeypairInit): Request {
  if (block.registrationSecret.length > MAX_SECRET)
    throw badParameter(`registration_secret is longer than ${MAX_SECRET} characters`);
  if (block.previousJoinState.length > MAX_JOIN_STATE)
    throw badParameter(`previous_join_state is longer than ${MAX_JOIN_STATE} characters`);
  if (attempt.role !== "Bot") checkHostId(attempt);
  const { registrationSecret: secret, previousJoinState: joinState, rotate } = block;
  return { attempt, key: readOfferedKey(block.publicKey), secret, joinState, rotate };
}
