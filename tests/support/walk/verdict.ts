// Steps 1 to 7 of docs/protocols/joining.md a second time: what one attempt comes to.
import { sha256Hex } from "#base/crypto";
import type { Token } from "#domain/resources";
import { fingerprintOf, type Certificate, type Presented } from "./disks.ts";
import type { BoundStatus } from "./ledger.ts";

/** What one attempt comes to; `found` makes a lock on this target. */
export type Verdict = "joins" | "refused" | "stranger" | { readonly found: string };

/** All that the server knows when it decides. */
export interface View {
  readonly agent: boolean;
  readonly now: number;
  readonly token: Token | undefined;
  /** Generations of instances, by their ids. */
  readonly instances: ReadonlyMap<string, number>;
  /** Targets. */
  readonly locks: ReadonlySet<string>;
  readonly window: string | undefined;
}

const MINUTE = 60_000;

export type Attempt = Presented & { readonly key: string };

/** Steps 1 to 7. */
export function verdictOn(view: View, attempt: Attempt): Verdict {
  const { token } = view;
  if (!token) return "stranger"; // 1
  const status = token.status?.bound_keypair ?? unusedOf(token);
  const right = rightOf(token, status, attempt); // 2
  if (right === undefined) return "stranger";
  if (lockedFor(view, status, attempt)) return "refused"; // 4
  const facts = { view, token, status, attempt };
  const same = isSame(facts);
  if (same && certificateFits(facts)) return "joins";
  if (right === "former" && !same) return formerKey(facts);
  const { reset } = status;
  const mayReset = right === "bound" && reset && view.now < Date.parse(reset.until);
  const verdict = ordinary(facts, right);
  return mayReset && verdict !== "joins" && verdict !== LOCKED ? "joins" : verdictOf(verdict);
}

interface Facts {
  readonly view: View;
  readonly token: Token;
  readonly status: BoundStatus;
  readonly attempt: Attempt;
}

type Right = "bound" | "former" | "first";

function rightOf(token: Token, status: BoundStatus, attempt: Attempt): Right | undefined {
  const { key, secret, state } = attempt;
  const { initial_public_key } = token.spec.bound_keypair!.onboarding;
  if (status.bound_public_key !== "") {
    if (fingerprintOf(status.bound_public_key) === key) return "bound";
    const listed = status.former_public_keys?.some((line) => fingerprintOf(line) === key);
    const replaced =
      state?.key === key &&
      state.life === status.first_instance_id &&
      status.last_rotated_at !== undefined &&
      state.signedAt <= Date.parse(status.last_rotated_at);
    return listed || replaced ? "former" : undefined;
  }
  if (initial_public_key !== "")
    return fingerprintOf(initial_public_key) === key ? "first" : undefined;
  return secret !== "" && secret === status.registration_secret ? "first" : undefined;
}

function lockedFor({ agent, locks }: View, status: BoundStatus, { key, hostId }: Attempt): boolean {
  const bound = status.bound_public_key && fingerprintOf(status.bound_public_key);
  const targets = [
    ...(agent ? [`server_id:${hostId}`] : ["user:bot-robo", "role:bot-robo"]),
    "join_token:t",
    `public_key:${key}`,
    `public_key:${bound}`,
    `bot_instance_id:${status.bound_bot_instance_id}`,
  ];
  return targets.some((target) => locks.has(target));
}

const isUsed = (status: BoundStatus): boolean => status.bound_bot_instance_id !== "";

const needsState = ({ token, status }: Facts): boolean =>
  isUsed(status) && token.spec.bound_keypair!.recovery.mode !== "insecure";

const isEarly = ({ view, attempt: { state } }: Facts): boolean =>
  state !== undefined && state.signedAt > view.now + MINUTE;

/** The state, if it can be believed. */
const believed = (facts: Facts) => (isEarly(facts) ? undefined : facts.attempt.state);

/** "A lost reply": whether it is the attempt that the token's status records. */
function isSame(facts: Facts): boolean {
  const { status, attempt } = facts;
  const { last_attempt: last } = status;
  if (!last || last.attempt_id !== attempt.attemptId) return false;
  if (fingerprintOf(last.solved_key) !== attempt.key) return false;
  if (last.presented_state !== undefined)
    return sha256Hex(attempt.state?.jwt ?? "") === last.presented_state;
  if (!needsState(facts) || last.from.instance_id === "") return true;
  const state = believed(facts);
  return state?.sequence === last.from.sequence && state.instance === last.from.instance_id;
}

function certificateFits({ status, attempt: { certificate } }: Facts): boolean {
  const { from, to, presented_state: hash } = status.last_attempt!;
  const recovered = from.instance_id !== to.instance_id;
  if (!certificate) return recovered;
  if (hash !== undefined || from.instance_id === "") return true;
  if (certificate.instance !== from.instance_id) return false;
  return recovered || certificate.generation === from.generation;
}

function formerKey(facts: Facts): Verdict {
  const { view, status } = facts;
  const state = believed(facts);
  if (!state || !needsState(facts)) return "stranger";
  const behind =
    state.life === status.first_instance_id && state.sequence < status.recovery_sequence;
  return view.window === undefined || behind ? { found: "join_token:t" } : "stranger";
}

/** A lock that a machine brings into view when it is moved forward: no reset helps against it. */
const LOCKED = "locked";
type Inner = Verdict | typeof LOCKED;
const verdictOf = (inner: Inner): Verdict => (inner === LOCKED ? "refused" : inner);

/** Steps 5 and 6, from where the token stands or is moved to. */
function ordinary(facts: Facts, right: Right): Inner {
  const { view, token, status, attempt } = facts;
  const { recovery } = token.spec.bound_keypair!;
  const moved = right === "former" ? undefined : forward(facts);
  if (moved && view.locks.has(`bot_instance_id:${moved.status.bound_bot_instance_id}`))
    return LOCKED;
  if (!moved && needsState(facts)) {
    const { state } = attempt;
    if (!state || isEarly(facts)) return "refused";
    const current =
      state.sequence === status.recovery_sequence &&
      state.instance === status.bound_bot_instance_id;
    if (!current) return { found: "join_token:t" };
  }
  const place = moved ?? { status, generation: generationOf(view, status) };
  const certificate = isUsed(place.status) ? attempt.certificate : undefined;
  if (certificate) return refresh(place, certificate);
  const used = recovery.mode === "standard" && place.status.recovery_count >= recovery.limit;
  return used ? "refused" : "joins";
}

interface Place {
  readonly status: BoundStatus;
  readonly generation: number | undefined;
}

function refresh({ status, generation }: Place, certificate: Certificate): Verdict {
  const copied = { found: `bot_instance_id:${certificate.instance}` };
  if (certificate.instance !== status.bound_bot_instance_id) return copied;
  if (generation === undefined) return "refused";
  return certificate.generation === generation ? "joins" : copied;
}

const generationOf = ({ agent, instances }: View, status: BoundStatus): number | undefined =>
  agent ? (status.generation ?? 0) : instances.get(status.bound_bot_instance_id);

/** "The resync window": where the machine proves to be, if the store has forgotten it. */
function forward(facts: Facts): Place | undefined {
  const { view, status, attempt } = facts;
  const state = believed(facts);
  if (view.window === undefined || !state || status.resynced_in === view.window) return undefined;
  const generation = generationOf(view, status);
  const own = attempt.certificate?.instance === state.instance ? attempt.certificate : undefined;
  const here =
    state.sequence === status.recovery_sequence && state.instance === status.bound_bot_instance_id;
  const refreshed = here && generation !== undefined && own && own.generation > generation;
  const known = (instance: string): boolean => view.agent || view.instances.has(instance);
  const sameLife = state.life === status.first_instance_id;
  const ahead = sameLife
    ? state.sequence > status.recovery_sequence
    : !known(state.life) && !known(state.instance);
  if (!refreshed && !ahead) return undefined;
  const recovery_count = sameLife
    ? Math.max(status.recovery_count, state.recoveries)
    : state.recoveries;
  const moved = { bound_bot_instance_id: state.instance, recovery_count };
  return { status: { ...status, ...moved }, generation: own?.generation ?? 0 };
}

function unusedOf(token: Token): BoundStatus {
  const { registration_secret } = token.spec.bound_keypair!.onboarding;
  return {
    bound_public_key: "",
    first_instance_id: "",
    bound_bot_instance_id: "",
    recovery_count: 0,
    recovery_sequence: 0,
    ...(registration_secret ? { registration_secret } : {}),
  };
}
