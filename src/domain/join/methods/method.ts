import type { Init } from "@tenon/api/tenon/join/v1/join";
import type { Attempt } from "../attempt.ts";
import type { JoinDependencies } from "../dependencies.ts";
import type { Step } from "../protocol.ts";

/** A method's block of the Init, by the name that protobuf gives it. */
export type MethodInit = Exclude<Init["method"], { case: undefined }>;
export type MethodCase = MethodInit["case"];
export type BlockOf<C extends MethodCase> = Extract<MethodInit, { case: C }>["value"];

/** What a machine's own certificate says of the join that gave it. */
export interface UsedCertificate {
  readonly joinToken?: string | undefined;
  readonly botName?: string | undefined;
  /** Of a bot, or of an agent that has one. */
  readonly botInstanceId?: string | undefined;
  readonly generation?: number | undefined;
}

/** One way to join. `bound-keypair.ts` is the one to copy from. */
export interface Method<C extends MethodCase> {
  /** Takes the Init; each step that it returns says what it awaits and what takes the answer. */
  begin(deps: JoinDependencies, attempt: Attempt, block: BlockOf<C>): Promise<Step>;
  /** A certificate that this method gave was used: the reply has arrived, whatever became of its Ack. */
  used(deps: JoinDependencies, certificate: UsedCertificate): Promise<void>;
}
