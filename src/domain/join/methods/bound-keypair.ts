/**
 * RFD 0205. The numbered steps are those of docs/protocols/joining.md; each stands in its own
 * function with the clause above it, and `decide` is their order.
 */
import type { BoundKeypairInit } from "@tenon/api/tenon/join/v1/join";
import { sshFingerprint } from "#base/crypto";
import { lockTargetsOf } from "#domain/access";
import { maskedToken, ownIdentity, type Attempt } from "../attempt.ts";
import { Challenge, readOfferedKey, type OfferedKey, type SolvedChallenge } from "../challenge.ts";
import type { JoinDependencies } from "../dependencies.ts";
import { refusalWrites, type Trace } from "../events.ts";
import { botClaims } from "../issuing.ts";
import { checkLocks } from "../locks.ts";
import type { Step } from "../protocol.ts";
import { commit, settle, toMember, toStranger } from "../refusal.ts";
import {
  eligibleToken,
  keyRight,
  pretendKeyRight,
  type KeyRight,
} from "./bound-keypair/eligible.ts";
import { checkCurrent, refuseFormerKey, VerifiedJoinState } from "./bound-keypair/join-state.ts";
import { nextMove, repeatedMove, sameAttempt, type Move } from "./bound-keypair/move.ts";
import { recordWrites } from "./bound-keypair/record.ts";
import { dropAttempt } from "./bound-keypair/reply-arrived.ts";
import { readRequest, type EligibleToken, type Request } from "./bound-keypair/request.ts";
import { checkSuccessor, ROTATION_SUITE, rotationDue } from "./bound-keypair/rotation.ts";
import { sign } from "./bound-keypair/sign.ts";
import type { Method } from "./method.ts";

export const boundKeypair: Method<"boundKeypair"> = {
  async begin(deps: JoinDependencies, attempt: Attempt, block: BoundKeypairInit) {
    const request = readRequest(attempt, block);
    return challenge(deps, request, {
      key: request.key,
      solved: (proof) => conclude({ deps, request, proof }),
    });
  },

  async used(deps, { joinToken, botInstanceId, generation }) {
    if (joinToken === undefined || generation === undefined) return;
    await dropAttempt(
      deps,
      joinToken,
      ({ to }) => to.instance_id === botInstanceId && to.generation === generation,
    );
  },
};

/** A client that has answered, and what its answers proved. */
interface Answered {
  readonly deps: JoinDependencies;
  readonly request: Request;
  /** `undefined`: the solution was wrong. */
  readonly proof: SolvedChallenge | undefined;
  /** Present once a successor of the bound key was offered and challenged. */
  readonly rotation?: { readonly proof: SolvedChallenge | undefined };
}

/**
 * 3. "Challenge, solution: `{iss, aud, sub: key id, nbf, iat, exp: +60 s, nonce}`; algorithm from the
 * key, never from the header; single use."
 *
 * Everyone is challenged, each with the key that it offers: who does not know the token, the secret
 * or the key sees the same as who does, until the solution has been verified.
 */
function challenge(
  { authorities, clock }: JoinDependencies,
  { attempt }: Request,
  to: { key: OfferedKey; solved: (proof: SolvedChallenge | undefined) => Promise<Step> },
): Step {
  const { clusterName } = authorities.trust();
  const asked = new Challenge({ clusterName, token: attempt.token, key: to.key, clock });
  return {
    step: "challenge",
    document: asked.document,
    publicKey: to.key.line,
    solve: (jws) => to.solved(asked.solve(jws)),
  };
}

async function conclude(answered: Answered): Promise<Step> {
  const { deps, request } = answered;
  const { attempt } = request;
  const trace: Trace = {
    attempt,
    method: "bound_keypair",
    tokenName: maskedToken(attempt.token),
    proven: false,
  };
  return await settle({
    store: deps.store,
    decide: () => decide(answered, trace),
    failed: (refusal) => refusalWrites(deps.audit, trace, refusal),
  });
}

/** The order of the steps. A conflict at step 8 comes back here. */
async function decide(answered: Answered, trace: Trace): Promise<Step> {
  const { deps, request } = answered;
  const now = deps.clock.now();
  const { eligible, right, solved } = await identify(answered, trace, now); // 1, 2, 3
  const leaving = ownIdentity(request.attempt) === undefined;
  await checkLocks(deps, targetsOf(eligible, answered), { leaving }); // 4
  const move = await verify({ answered, eligible, right, solved }); // 5, 6
  const mayRotate = move.kind !== "repeat" && right !== "former";
  if (mayRotate && !answered.rotation && rotationDue(eligible, now)) return askSuccessor(answered); // 7
  const successor = mayRotate ? provenSuccessor(answered, eligible, solved) : undefined;
  const config = await deps.config();
  const decision = { eligible, request, solved, successor, move, config, now };
  trace.instanceId = move.to.instance_id;
  await commit(deps.store, recordWrites(deps, decision, trace)); // 8
  return sign(deps, decision); // 9
}

/** Steps 1 to 3 in their order; all three are computed before any is answered. */
async function identify(
  { deps, request, proof }: Answered,
  trace: Trace,
  now: number,
): Promise<{ eligible: EligibleToken; right: KeyRight; solved: SolvedChallenge }> {
  const found = await eligibleToken(deps, request.attempt.token);
  if (!found.ok) {
    pretendKeyRight(request);
    throw toStranger(found.reason);
  }
  const eligible = found.value;
  trace.bot = eligible.bot.metadata.name;
  trace.tokenName = eligible.token.metadata.name;
  const right = keyRight(eligible, request, now);
  if (!right.ok) throw toStranger(right.reason);
  if (!proof) throw toStranger(`key "${request.key.fingerprint}" did not solve its challenge`);
  trace.proven = true;
  if (eligible.status.bound_bot_instance_id !== "")
    trace.instanceId = eligible.status.bound_bot_instance_id;
  return { eligible, right: right.value, solved: proof };
}

/** Every lock that would stop what the client is, and what it would become. */
function targetsOf(eligible: EligibleToken, { request, rotation }: Answered): readonly string[] {
  const { bot, token, status } = eligible;
  const claims = botClaims({
    bot,
    instanceId: status.bound_bot_instance_id,
    generation: 0,
    token: token.metadata.name,
    boundKeyFingerprint: request.key.fingerprint,
  });
  const bound = status.bound_public_key && sshFingerprint(status.bound_public_key);
  const keys = [bound, rotation?.proof?.key.fingerprint].filter((fingerprint) => fingerprint);
  return [
    ...lockTargetsOf({ ...claims, expires: 0 }),
    ...keys.map((fingerprint) => `public_key:${fingerprint}`),
  ];
}

/** Steps 5 and 6, unless this is an attempt that has already passed them (section 3). */
async function verify(known: {
  readonly answered: Answered;
  readonly eligible: EligibleToken;
  readonly right: KeyRight;
  readonly solved: SolvedChallenge;
}): Promise<Move> {
  const { eligible, right, solved } = known;
  const { deps, request } = known.answered;
  const presented = VerifiedJoinState.present(deps, eligible, request); // 5
  const last = sameAttempt(eligible, request, { solved, presented });
  const repeated = repeatedMove(last, request);
  if (repeated) return repeated;
  if (right === "former" && !last) throw refuseFormerKey(presented, eligible, request);
  checkCurrent(presented, eligible, request); // 5
  return await nextMove(deps, eligible, request); // 6
}

/** 7. "challenge the old key first, then the new one" */
function askSuccessor(answered: Answered): Step {
  const { deps, request } = answered;
  return {
    step: "rotation",
    algorithmSuite: ROTATION_SUITE,
    offer: async (line) =>
      challenge(deps, request, {
        key: readOfferedKey(line),
        solved: (proof) => conclude({ ...answered, rotation: { proof } }),
      }),
  };
}

function provenSuccessor(
  { rotation }: Answered,
  eligible: EligibleToken,
  old: SolvedChallenge,
): SolvedChallenge | undefined {
  if (!rotation) return undefined;
  if (!rotation.proof) throw toMember("the new key did not solve its challenge");
  checkSuccessor(eligible, old, rotation.proof.key);
  return rotation.proof;
}
