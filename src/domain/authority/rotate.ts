import { codeOf, unavailable } from "#base/kernel";
import type { JsonObject, Store, Write } from "#base/storage";
import type { Actor, EventDraft } from "#domain/audit";
import {
  Resources,
  writeOf,
  type AuthorityType,
  type CertAuthority,
  type Rotation,
  type RotationPhase,
} from "#domain/resources";
import { CA_KEY_KIND, readPrivateKeys } from "./bootstrap.ts";
import { rotationFingerprints } from "./describe.ts";
import { generateKeys, type NewKeys } from "./keys.ts";
import { linkCertificate } from "./link.ts";
import { holdStill, leavingKeys, nextPhase, nextPhaseAt, phaseOf, step } from "./rotation.ts";

/** Moves authorities through their phases in the store: each move is one commit, or none. */

export interface RotateRequest {
  readonly types: readonly AuthorityType[];
  readonly phase: RotationPhase;
  /** At `init` what the rotation is to be, by default automatic; `manual` later ends the automatic. */
  readonly mode?: Rotation["mode"] | undefined;
  readonly graceMs?: number | undefined;
}

/** Who did it, and how to write it down in the same commit. */
export interface RotateContext {
  readonly store: Store;
  readonly now: number;
  readonly actor: Actor;
  readonly remoteAddr?: string | undefined;
  readonly audit: (event: EventDraft) => Write;
}

/** Another process moves them at most a few times a minute: to lose more often is no accident. */
const ATTEMPTS = 4;

/**
 * Takes the authorities to a phase, all or none. One that has the phase already stays as it is, so
 * that a request may be repeated. `bad_parameter` where the phase cannot follow. False: nothing was
 * to do.
 */
export const rotate = (request: RotateRequest, context: RotateContext): Promise<boolean> =>
  committed(context, async () => {
    const moves: Write[] = [];
    for (const type of new Set(request.types)) {
      const authority = await new Resources(context.store).require("cert_authority", type);
      moves.push(...(await moveOne(authority, request, context)));
    }
    return moves;
  });

/** Takes every automatic rotation whose time has come one phase on; false: there was none. */
export const rotateDue = (context: RotateContext): Promise<boolean> =>
  committed(context, async () => {
    const moves: Write[] = [];
    for await (const authority of new Resources(context.store).all("cert_authority")) {
      const at = nextPhaseAt(authority);
      if (at === undefined || at > context.now) continue;
      moves.push(...(await move(authority, { phase: nextPhase(phaseOf(authority)) }, context)));
    }
    return moves;
  });

/** Whoever loses to another process looks again at what that one has made. */
async function committed(
  { store }: RotateContext,
  plan: () => Promise<readonly Write[]>,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const writes = await plan();
    if (writes.length === 0) return false;
    try {
      await store.commit(writes);
      return true;
    } catch (error) {
      if (!["compare_failed", "already_exists", "not_found"].includes(codeOf(error))) throw error;
    }
  }
  throw unavailable(
    "the authorities are being rotated by somebody else; look at their phase again",
  );
}

type Wish = Pick<RotateRequest, "phase" | "mode" | "graceMs">;

async function moveOne(
  authority: CertAuthority,
  wish: Wish,
  context: RotateContext,
): Promise<readonly Write[]> {
  if (phaseOf(authority) !== wish.phase) return await move(authority, wish, context);
  const stops = wish.mode === "manual" && nextPhaseAt(authority) !== undefined;
  return stops ? record(authority, holdStill(authority), context) : [];
}

async function move(
  authority: CertAuthority,
  { phase, mode, graceMs }: Wish,
  context: RotateContext,
): Promise<readonly Write[]> {
  const terms = { now: context.now, mode, graceMs };
  if (phase !== "init") {
    const moved = step(authority, phase, terms);
    const forgotten = phase === "standby" ? leavingKeys(authority).map(forget) : [];
    return [...record(authority, moved, context), ...forgotten];
  }
  const { publicKeys, privateKeys } = await makeKeys(authority, context);
  const moved = step(authority, phase, { ...terms, newKeys: publicKeys });
  const value: JsonObject = { ...privateKeys };
  const kept: Write = { op: "create", kind: CA_KEY_KIND, name: publicKeys.key_id, value };
  return [...record(authority, moved, context), kept];
}

/** Key generation on the loop takes less than a millisecond for these suites. */
async function makeKeys({ spec }: CertAuthority, { store, now }: RotateContext): Promise<NewKeys> {
  const { type, active, cluster_name: clusterName } = spec;
  const made = generateKeys(type, { clusterName, now });
  if (type !== "host") return made;
  const old = { publicKeys: active, privateKeys: await readPrivateKeys(store, active.key_id) };
  const linked_certificate = linkCertificate(made.publicKeys, old);
  return { ...made, publicKeys: { ...made.publicKeys, linked_certificate } };
}

const forget = ({ key_id }: { key_id: string }): Write => ({
  op: "delete",
  kind: CA_KEY_KIND,
  name: key_id,
});

function record(before: CertAuthority, after: CertAuthority, context: RotateContext): Write[] {
  const { actor, remoteAddr, audit } = context;
  // At the end the authority has no rotation any more; what it was stands in the one before.
  const rotation = (after.status?.rotation ?? before.status?.rotation)!;
  const of = after.status?.rotation ? after : before;
  const { oldFingerprint, newFingerprint } = rotationFingerprints(of, rotation);
  const event = audit({
    type: "ca.rotate",
    actor,
    remoteAddr,
    fields: {
      authority: before.spec.type,
      from: phaseOf(before),
      phase: phaseOf(after),
      mode: rotation.mode,
      old_fingerprint: oldFingerprint,
      new_fingerprint: newFingerprint,
    },
  });
  return [writeOf(after, "update"), event];
}
