/** Rows that one turn of the event loop may read and parse: some milliseconds. */
export const ROWS_PER_TURN = 1_000;

/**
 * Reads are synchronous, so a caller that awaits one after the other would never let the loop turn.
 * Whoever finds the turn's share taken waits for the next.
 */
export class Turns {
  #taken = 0;

  /** `rows`: how many the read may touch at most. */
  async take(rows: number): Promise<void> {
    while (this.#taken >= ROWS_PER_TURN) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.#taken === 0) setImmediate(() => (this.#taken = 0));
    this.#taken += rows;
  }
}
