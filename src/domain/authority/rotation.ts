import { durationMs, formatDuration } from "#base/config";
import { parseX509 } from "#base/crypto";
import { badParameter } from "#base/kernel";
import type {
  AuthorityPublicKeys,
  AuthorityType,
  CertAuthority,
  Rotation,
  RotationPhase,
} from "#domain/resources";
import { certificateOf } from "./signers.ts";

/**
 * The phases of a rotation (docs/protocols/rotation.md), as a pure function of one authority. Between
 * two neighbours it always holds that the keys which sign in one are trusted in the other, so that
 * neither a verifier nor a certificate that is one phase behind is refused.
 */

/** What may follow each phase; the first is where an automatic rotation goes. */
const following: Readonly<Record<RotationPhase, readonly RotationPhase[]>> = {
  standby: ["init"],
  init: ["update_clients", "rollback"],
  update_clients: ["update_servers", "rollback"],
  update_servers: ["standby", "rollback"],
  rollback: ["standby"],
};

/**
 * The phase from which the new keys sign. Servers show theirs last: whoever verifies them had two
 * phases' time to learn of the new keys.
 */
const newSignsFrom: Readonly<Record<AuthorityType, "update_clients" | "update_servers">> = {
  user: "update_clients",
  "database-client": "update_clients",
  spiffe: "update_clients",
  join: "update_clients",
  app: "update_clients",
  host: "update_servers",
  database: "update_servers",
};

/** Those whose former keys still help who was away: see `retiredKeys`. */
const keepsRetired: ReadonlySet<AuthorityType> = new Set(["host", "join"]);

/** Public halves take a kilobyte each; a rotation a month makes this most of a year. */
const MAX_RETIRED = 10;

/** A bot that cannot reach the cluster tries again once a minute: each phase gives it three chances. */
const MIN_GRACE_MS = 10 * 60_000;
/** A rotation that never ends is none. */
const MAX_GRACE_MS = 90 * 86_400_000;
/** Longer than a day, which credentials last at most, and no whole number of days. */
const DEFAULT_GRACE_MS = 30 * 3_600_000;
const PHASES_OF_GRACE = 3;

export interface StepTerms {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Of the rotation that `init` starts; `manual` later ends what happens by itself. */
  readonly mode?: Rotation["mode"] | undefined;
  /** At `init`; default `DEFAULT_GRACE_MS`. */
  readonly graceMs?: number | undefined;
  /** At `init`: the keys to rotate to. */
  readonly newKeys?: AuthorityPublicKeys;
}

export const phaseOf = (authority: CertAuthority): RotationPhase =>
  authority.status?.phase ?? "standby";

/** Where it goes next when nobody says otherwise. */
export const nextPhase = (phase: RotationPhase): RotationPhase => following[phase][0]!;

/** When the next phase of an automatic rotation begins, milliseconds since the epoch. */
export function nextPhaseAt({ status }: CertAuthority): number | undefined {
  const at = status?.rotation?.next_phase_at;
  return at === undefined ? undefined : Date.parse(at);
}

/** Throws `bad_parameter` when this phase cannot follow the present one. */
export function checkStep(authority: CertAuthority, target: RotationPhase): void {
  const { type } = authority.spec;
  const phase = phaseOf(authority);
  if (following[phase].includes(target)) return;
  if (target === "init")
    throw badParameter(
      `the rotation of the ${type} authority is under way since ${authority.status?.rotation?.started_at}, in phase "${phase}"; take it to ${options(phase)}`,
    );
  if (phase === "standby")
    throw badParameter(
      `no rotation of the ${type} authority is under way, so there is nothing to take to "${target}"; "init" starts one`,
    );
  throw badParameter(
    `the ${type} authority is in phase "${phase}", from which "${target}" cannot follow; take it to ${options(phase)}`,
  );
}

const options = (phase: RotationPhase): string =>
  following[phase].map((each) => `"${each}"`).join(" or ");

/** The authority in its next phase. Throws `bad_parameter` where that phase cannot follow. */
export function step(
  authority: CertAuthority,
  target: RotationPhase,
  terms: StepTerms,
): CertAuthority {
  checkStep(authority, target);
  if (target === "init") return begin(authority, terms);
  if (target === "standby") return end(authority, terms.now);
  return advance(authority, target, terms);
}

function begin(authority: CertAuthority, terms: StepTerms): CertAuthority {
  const { now, mode = "automatic", graceMs = DEFAULT_GRACE_MS, newKeys } = terms;
  if (!newKeys) throw badParameter("a rotation needs new keys");
  checkGrace(graceMs);
  const time = isoOf(now);
  const rotation: Rotation = {
    mode,
    started_at: time,
    phase_since: time,
    ...schedule(mode, graceMs, now),
    grace_period: formatDuration(graceMs),
    old_key_id: authority.spec.active.key_id,
    new_key_id: newKeys.key_id,
  };
  return {
    ...authority,
    spec: { ...authority.spec, additional_trusted: [newKeys] },
    status: { retired: [], ...authority.status, phase: "init", rotation },
  };
}

function checkGrace(graceMs: number): void {
  if (graceMs >= MIN_GRACE_MS && graceMs <= MAX_GRACE_MS) return;
  throw badParameter(
    `a grace period of ${formatDuration(graceMs)} is not possible; choose ${formatDuration(MIN_GRACE_MS)} to ${formatDuration(MAX_GRACE_MS)}`,
  );
}

/** The same phase, from which nothing happens by itself any more. */
export function holdStill(authority: CertAuthority): CertAuthority {
  const { next_phase_at: _over, ...kept } = rotationOf(authority);
  const rotation: Rotation = { ...kept, mode: "manual" };
  return { ...authority, status: { ...authority.status!, rotation } };
}

function advance(
  authority: CertAuthority,
  phase: RotationPhase,
  { now, mode: wanted }: StepTerms,
): CertAuthority {
  const before = rotationOf(authority);
  const mode = wanted === "manual" ? "manual" : before.mode;
  const { next_phase_at: _over, ...kept } = before;
  const [active, other] = keysIn(authority, phase);
  checkNotEarly(authority, active, now);
  const exchanged = active.key_id !== authority.spec.active.key_id;
  const rotation: Rotation = {
    ...kept,
    mode,
    phase_since: isoOf(now),
    ...schedule(mode, durationMs(before.grace_period), now),
    ...(exchanged ? { signer_since: isoOf(now) } : {}),
  };
  return {
    ...authority,
    spec: { ...authority.spec, active, additional_trusted: [other] },
    status: { retired: [], ...authority.status, phase, rotation },
  };
}

/** Those that sign in a phase, and the others. */
function keysIn(
  { spec, status }: CertAuthority,
  phase: RotationPhase,
): readonly [AuthorityPublicKeys, AuthorityPublicKeys] {
  const both = [spec.active, ...spec.additional_trusted];
  const find = (id: string | undefined): AuthorityPublicKeys => {
    const found = both.find(({ key_id }) => key_id === id);
    if (!found) throw badParameter(`the ${spec.type} authority has lost the keys "${id}"`);
    return found;
  };
  const [old, fresh] = [find(status?.rotation?.old_key_id), find(status?.rotation?.new_key_id)];
  const newSigns =
    phase === "update_servers" ||
    (phase === "update_clients" && newSignsFrom[spec.type] === "update_clients");
  return newSigns ? [fresh, old] : [old, fresh];
}

/** Keys that were made while the clock was ahead would sign what nobody accepts. */
function checkNotEarly({ spec }: CertAuthority, active: AuthorityPublicKeys, now: number): void {
  if (!active.x509_certificate) return;
  const { notBefore } = parseX509(certificateOf(active));
  if (notBefore <= now) return;
  throw badParameter(
    `the new keys of the ${spec.type} authority are not valid before ${isoOf(notBefore)}: the clock was ahead when they were made; roll back, and start again`,
  );
}

/** The keys that do not sign are forgotten; also the private ones, in the same commit. */
function end(authority: CertAuthority, now: number): CertAuthority {
  const { spec } = authority;
  const rotation = rotationOf(authority);
  const before = authority.status?.retired ?? [];
  const leaving = leavingKeys(authority).flatMap((keys) => retire(keys, rotation));
  const retired = keepsRetired.has(spec.type) ? [...leaving, ...before].slice(0, MAX_RETIRED) : [];
  return {
    ...authority,
    spec: { ...spec, additional_trusted: [] },
    status: { phase: "standby", last_rotated_at: isoOf(now), retired },
  };
}

/** Those that the end of the rotation drops. */
export const leavingKeys = ({ spec }: CertAuthority): readonly AuthorityPublicKeys[] =>
  spec.additional_trusted;

/**
 * Keys that have signed count for who was away until the grace period has passed since they last
 * did. New ones that never signed, because the rotation went back before, count for nothing.
 */
function retire(
  keys: AuthorityPublicKeys,
  { signer_since: since, grace_period: grace }: Rotation,
): { keys: AuthorityPublicKeys; until: string }[] {
  if (since === undefined) return [];
  return [{ keys, until: isoOf(Date.parse(since) + durationMs(grace)) }];
}

/** Keys that no longer sign, with the time until which they still help who was away. */
export const retiredKeys = ({
  status,
}: CertAuthority): { readonly keys: AuthorityPublicKeys; readonly until: number }[] =>
  (status?.retired ?? []).map(({ keys, until }) => ({ keys, until: Date.parse(until) }));

function rotationOf({ spec, status }: CertAuthority): Rotation {
  if (status?.rotation) return status.rotation;
  throw badParameter(`no rotation of the ${spec.type} authority is under way`);
}

const schedule = (
  mode: Rotation["mode"],
  graceMs: number,
  now: number,
): Pick<Rotation, "next_phase_at"> =>
  mode === "manual" ? {} : { next_phase_at: isoOf(now + graceMs / PHASES_OF_GRACE) };

const isoOf = (ms: number): string => new Date(ms).toISOString();
