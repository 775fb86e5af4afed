// Reads along with every commit of a walk, and says which rules of counting one has broken.
import assert from "node:assert/strict";
import type { JsonObject, Write } from "#base/storage";
import type { Token } from "#domain/resources";

export type BoundStatus = NonNullable<NonNullable<Token["status"]>["bound_keypair"]>;

/** What a join's event says of it. */
export interface Joined {
  readonly instance_id: string;
  readonly generation: number;
  readonly attempt_id: string;
  readonly recovery: boolean;
  readonly repeated: boolean;
  readonly allowed_by?: "reset" | "resync";
}

/** A place in time to which a restore may lead. */
export interface Bookmark {
  readonly counted: ReadonlySet<string>;
  readonly status: BoundStatus | undefined;
  readonly generation: number;
}

const unused: BoundStatus = {
  bound_public_key: "",
  first_instance_id: "",
  bound_bot_instance_id: "",
  recovery_count: 0,
  recovery_sequence: 0,
};

/** Of one token, which is the only one. */
export class Ledger {
  /** `instance/generation` of every join that counted, in what the store still knows of. */
  #counted = new Set<string>();
  #status: BoundStatus | undefined;
  /** Of the bound instance. */
  #generation = 0;
  /** What the first broken rule was; a walk ends with it. */
  broken: unknown;
  joins = 0;
  /** The last join. */
  last: Joined | undefined;

  observe(writes: readonly Write[]): void {
    try {
      this.#observe(writes);
    } catch (error) {
      this.broken ??= error;
    }
  }

  mark(): Bookmark {
    const { counted, status, generation } = {
      counted: this.#counted,
      status: this.#status,
      generation: this.#generation,
    };
    return { counted: new Set(counted), status, generation };
  }

  returnTo({ counted, status, generation }: Bookmark): void {
    this.#counted = new Set(counted);
    this.#status = status;
    this.#generation = generation;
  }

  #observe(writes: readonly Write[]): void {
    const token = writes.find(({ kind, op }) => kind === "token" && op !== "check");
    const before = this.#status ?? unused;
    if (token) this.#status = "value" in token ? statusIn(token.value) : undefined;
    for (const join of writes.flatMap(joinedBy)) {
      this.#join(join, before, token !== undefined);
      checkEnded(before.bound_bot_instance_id, join, writes);
    }
  }

  #join(join: Joined, before: BoundStatus, written: boolean): void {
    this.joins++;
    this.last = join;
    if (join.repeated) return assert.ok(!written, "a repeated join changed its token");
    assert.ok(written && this.#status, "a join did not change its token");
    const counter = `${join.instance_id}/${join.generation}`;
    assert.ok(!this.#counted.has(counter), `counter ${counter} was used twice`);
    const known = [...this.#counted].some((other) => other.startsWith(`${join.instance_id}/`));
    this.#counted.add(counter);
    this.#checkStep(join, { before, after: this.#status, known });
    this.#generation = join.generation;
  }

  /** What the commit made of the token, compared with what it was. */
  #checkStep(
    join: Joined,
    { before, after, known }: { before: BoundStatus; after: BoundStatus; known: boolean },
  ): void {
    const resynced = join.allowed_by === "resync";
    assert.equal(after.bound_bot_instance_id, join.instance_id, "another instance is bound");
    assert.equal(after.last_attempt?.attempt_id, join.attempt_id, "the attempt is not recorded");
    assert.equal(after.registration_secret, undefined, "the secret is not spent");
    assert.equal(after.reset, undefined, "the reset is not used up");
    assert.notEqual(after.bound_public_key, "", "no key is bound");
    if (resynced) assert.notEqual(after.resynced_in, before.resynced_in, "moved forward twice");
    else assert.equal(after.resynced_in, before.resynced_in);
    const sameLife = after.first_instance_id === before.first_instance_id;
    if (!resynced) assert.ok(sameLife || before.first_instance_id === "", "another life began");
    if (join.recovery) {
      assert.ok(!known && join.generation === 1, "a recovery did not make a new instance");
      if (!resynced) assert.equal(after.recovery_count, before.recovery_count + 1);
      if (!resynced) assert.equal(after.recovery_sequence, before.recovery_sequence + 1);
    } else if (!resynced) {
      assert.equal(after.bound_bot_instance_id, before.bound_bot_instance_id);
      assert.equal(after.recovery_count, before.recovery_count);
      assert.equal(after.recovery_sequence, before.recovery_sequence);
      assert.equal(join.generation, this.#generation + 1, "a generation was left out");
    }
    if (resynced && sameLife)
      assert.ok(after.recovery_sequence >= before.recovery_sequence, "the sequence went back");
  }
}

/** What a join takes the place of is locked by the same commit. */
function checkEnded(before: string, { instance_id }: Joined, writes: readonly Write[]): void {
  if (before === "" || before === instance_id) return;
  const locked = writes.some(
    (write) =>
      write.kind === "lock" && JSON.stringify(write).includes(`"bot_instance_id":"${before}"`),
  );
  assert.ok(locked, "the instance before is not locked");
}

function joinedBy(write: Write): readonly Joined[] {
  if (write.kind !== "event" || !("value" in write)) return [];
  const { type, fields } = write.value;
  return type === "bot.join" || type === "agent.join" ? [fields as unknown as Joined] : [];
}

const statusIn = (value: JsonObject): BoundStatus | undefined =>
  (value as unknown as { status?: Token["status"] }).status?.bound_keypair;
