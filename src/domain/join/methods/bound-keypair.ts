/**
 * RFD 0205. The numbered steps are those of docs/protocols/joining.md; each stands in its own
 * function with the clause above it, and `decide` is their order.
 */
import type { BoundKeypairInit } from "@tenon/api/tenon/join/v1/join";
import type { Attempt } from "../attempt.ts";
import {
  Challenge,
  fingerprintOf,
  readOfferedKey,
  type OfferedKey,
  type SolvedChallenge,
} from "../challenge.ts";
import { conclude } from "../conclude.ts";
import type { JoinDependencies } from "../dependencies.ts";
import type { Trace } from "../events.ts";
import { checkLocks } from "../locks.ts";
import type { Step } from "../protocol.ts";
import { commit, toMember, toStranger } from "../refusal.ts";
import { readResync } from "../resync.ts";
import { decoy } from "./bound-keypair/decoy.ts";
import { eligibleToken, keyRight } from "./bound-keypair/eligible.ts";
import { atRevision, decided, lowAfter, recordWrites } from "./bound-keypair/record.ts";
import { dropAttempt } from "./bound-keypair/reply-arrived.ts";
import { readRequest, type EligibleToken } from "./bound-keypair/request.ts";
import { checkSuccessor, rotationDue, suiteOfSuccessor } from "./bound-keypair/rotation.ts";
import { sign } from "./bound-keypair/sign.ts";
import { verify, type Asked, type Identified } from "./bound-keypair/verify.ts";
import type { Method } from "./method.ts";

export const boundKeypair: Method<"boundKeypair"> = {
  async begin(deps: JoinDependencies, attempt: Attempt, block: BoundKeypairInit) {
    const request = readRequest(attempt, block);
    const window = await readResync(deps);
    return challenge({ deps, request, window }, request.key, (proof) =>
      concluded({ deps, request, window, proof }),
    );
  },

  async used(deps, { joinToken, botInstanceId, generation }) {
    if (joinToken === undefined || generation === undefined) return;
    await dropAttempt(deps, joinToken, {
      arrived: ({ to }) => to.instance_id === botInstanceId && to.generation === generation,
    });
  },
};

/** A client that has answered, and what its answers proved. */
interface Answered extends Asked {
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
  { deps: { authorities, clock }, request: { attempt }, window }: Asked,
  key: OfferedKey,
  solved: (proof: SolvedChallenge | undefined) => Promise<Step>,
): Step {
  const { clusterName } = authorities.trust();
  const asked = new Challenge({ clusterName, token: attempt.token, key, clock });
  return {
    step: "challenge",
    document: asked.document,
    publicKey: key.line,
    ...(window ? { resync: true } : {}),
    solve: (jws) => solved(asked.solve(jws)),
  };
}

const concluded = (answered: Answered): Promise<Step> =>
  conclude({
    deps: answered.deps,
    attempt: answered.request.attempt,
    method: "bound_keypair",
    decide: (trace) => decide(answered, trace),
  });

/** The order of the steps. A conflict at step 8 comes back here. */
async function decide(answered: Answered, trace: Trace): Promise<Step> {
  const { deps, request } = answered;
  const now = deps.clock.now();
  const identified = await identify(answered, trace, now); // 1, 2, 3
  const { right, solved } = identified;
  await checkLocks(deps, targetsOf(identified.eligible, answered), {
    leaving: mayLeave(identified.eligible),
  }); // 4
  const { eligible, move } = await verify(answered, identified, now); // 5, 6
  const mayRotate = move.kind !== "repeat" && right !== "former";
  if (mayRotate && !answered.rotation && rotationDue(eligible, request, now))
    return askSuccessor(answered); // 7
  const successor = mayRotate ? provenSuccessor(answered, eligible, solved) : undefined;
  const config = await deps.config();
  const decision = decided({ eligible, request, solved, successor, move, config, now });
  trace.instanceId = move.to.instance_id;
  const { revisions } = await commit(deps.store, await recordWrites(deps, decision, trace)); // 8
  const low = lowAfter(decision);
  if (low) deps.logger.warn("a token has few recoveries left", low.fields);
  return sign(deps, decision, atRevision(decision.token, revisions[0])); // 9
}

/** Steps 1 to 3 in their order; all three are computed before any is answered. */
async function identify(
  { deps, request, proof }: Answered,
  trace: Trace,
  now: number,
): Promise<Identified> {
  const found = await eligibleToken(deps, request.attempt);
  const right = keyRight({ deps, eligible: found.ok ? found.value : decoy, request, now });
  if (!found.ok) throw toStranger(found.reason);
  const eligible = found.value;
  if (eligible.holder.bot !== undefined) trace.bot = eligible.holder.bot;
  trace.tokenName = eligible.token.metadata.name;
  if (!right.ok) throw toStranger(right.reason);
  if (!proof) throw toStranger(`key "${request.key.fingerprint}" did not solve its challenge`);
  trace.proven = true;
  if (eligible.status.bound_bot_instance_id !== "")
    trace.instanceId = eligible.status.bound_bot_instance_id;
  return { eligible, right: right.value, solved: proof };
}

/** Every lock that would stop what the client is, and what it would become. */
function targetsOf(
  { holder, status }: EligibleToken,
  { request, rotation }: Answered,
): readonly string[] {
  const bound = status.bound_public_key && fingerprintOf(status.bound_public_key, request.key);
  const keys = [bound, rotation?.proof?.key.fingerprint].filter((fingerprint) => fingerprint);
  return [
    ...holder.targets(status.bound_bot_instance_id, request.key.fingerprint),
    ...keys.map((fingerprint) => `public_key:${fingerprint}`),
  ];
}

/** Whether the join may end in another instance than the bound one. */
const mayLeave = ({ holder, status }: EligibleToken): boolean =>
  holder.certificate === undefined || status.reset !== undefined;

/** 7. "challenge the old key first, then the new one" */
function askSuccessor(answered: Answered): Step {
  return {
    step: "rotation",
    algorithmSuite: suiteOfSuccessor(answered.request.key),
    offer: async (line) =>
      challenge(answered, readOfferedKey(line), (proof) =>
        concluded({ ...answered, rotation: { proof } }),
      ),
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
