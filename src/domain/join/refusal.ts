import { accessDenied, codeOf, CodedError, messageOf, unavailable } from "#base/kernel";
import type { Committed, Store, Write } from "#base/storage";
import type { Lock } from "#domain/resources";

/** All that someone who has proven nothing is told, whatever was wrong. */
const TO_STRANGERS =
  "the join was refused: the token, its secret or the key is not valid here; the cluster's audit log has the reason";

/** A join that ends here: what the client is told, what the audit log is told, and what follows. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly told: CodedError;
  readonly reason: string;
  /** A copy of the machine's credentials was found: this lock stops both. */
  readonly lock: Lock | undefined;
  /** What the verdict rests on: it stands only while these revisions do. */
  readonly seen: readonly Write[];

  constructor(refusal: {
    told: CodedError;
    reason: string;
    lock?: Lock | undefined;
    seen?: readonly Write[];
  }) {
    super(refusal.reason);
    this.told = refusal.told;
    this.reason = refusal.reason;
    this.lock = refusal.lock;
    this.seen = refusal.seen ?? [];
  }
}

/** For one who has not proven to hold the token's key, or the token itself. */
export const toStranger = (reason: string): Refusal =>
  new Refusal({ told: accessDenied(TO_STRANGERS, { detail: reason }), reason });

/**
 * Whether the client was not even known, as far as it was told: by this sentence, which therefore
 * stays as it is.
 */
export const isToStranger = (error: unknown): boolean =>
  codeOf(error) === "access_denied" && messageOf(error) === TO_STRANGERS;

/** For a machine that has proven who it is: it is told what stands in its way. */
export const toMember = (
  sentence: string,
  rest: { lock?: Lock; seen?: readonly Write[] } = {},
): Refusal =>
  new Refusal({ told: accessDenied(sentence, { detail: sentence }), reason: sentence, ...rest });

/** Something that the decision rests on was changed meanwhile: decide again from step 1. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}

const CONFLICTS: ReadonlySet<string> = new Set(["compare_failed", "already_exists", "not_found"]);

export async function commit(store: Store, writes: readonly Write[]): Promise<Committed> {
  try {
    return await store.commit(writes);
  } catch (error) {
    if (error instanceof CodedError && CONFLICTS.has(error.code))
      throw new Conflict(error.message, { cause: error });
    throw error;
  }
}

/** More tries only help someone who keeps writing to the token on purpose. */
const MAX_TURNS = 3;

/**
 * Takes a decision to its end: a conflict restarts it, a refusal is recorded (with its lock, under
 * the condition that what it saw still holds) and thrown as what the client is told.
 */
export async function settle<T>(options: {
  readonly store: Store;
  readonly decide: () => Promise<T>;
  /** What a refusal leaves: its audit event, and its lock. */
  readonly failed: (refusal: Refusal) => readonly Write[];
}): Promise<T> {
  for (let turn = 1; turn <= MAX_TURNS; turn++) {
    try {
      return await refusing(options);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  throw unavailable("the token was changed by others at the same time; try again");
}

async function refusing<T>({ store, decide, failed }: Parameters<typeof settle<T>>[0]): Promise<T> {
  try {
    return await decide();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await commit(store, [...error.seen, ...failed(error)]);
    throw error.told;
  }
}
