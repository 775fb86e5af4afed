import type { Logger } from "#base/kernel";
import type { Caller } from "#domain/access";
import type { JoinServer } from "#domain/join";

/** Certificates whose first use was noted; one that is forgotten costs a read, nothing more. */
const REMEMBERED = 20_000;

/**
 * A machine that uses its new certificate has it safe on its disk: the attempt that gave it can no
 * longer be repeated (join.md section 3).
 */
export class FirstUse {
  readonly #join: Pick<JoinServer, "certificateUsed">;
  readonly #logger: Logger;
  readonly #seen = new Set<string>();

  constructor(join: Pick<JoinServer, "certificateUsed">, logger: Logger) {
    this.#join = join;
    this.#logger = logger;
  }

  /** Once for each certificate; a failure is logged, and the next call tries again. */
  async note(caller: Caller): Promise<void> {
    if (caller.kind !== "user" && caller.kind !== "host") return;
    const { identity } = caller;
    if (identity.generation === undefined) return;
    const instanceId = "hostId" in identity ? identity.instanceId : identity.botInstanceId;
    const key = `${instanceId}/${identity.generation}`;
    if (this.#seen.has(key)) return;
    try {
      await this.#join.certificateUsed(identity);
      this.#remember(key);
    } catch (error) {
      this.#logger.warn("the record of a join attempt could not be dropped", { error });
    }
  }

  #remember(key: string): void {
    this.#seen.add(key);
    if (this.#seen.size <= REMEMBERED) return;
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}
