import { writeOf, type JoinAttempt, type Token } from "#domain/resources";
import type { JoinDependencies } from "../../dependencies.ts";
import { commit, Conflict } from "../../refusal.ts";
import { withStatus } from "./record.ts";

const MAX_TURNS = 3;

/**
 * Section 3. "The record is dropped at `Ack`, or at the first use of the new certificate." Someone
 * else's write to the token meanwhile is no failure: the next join writes the record anew anyway.
 */
export async function dropAttempt(
  { store, resources, logger }: Pick<JoinDependencies, "store" | "resources" | "logger">,
  name: string,
  about: {
    readonly arrived: (last: JoinAttempt) => boolean;
    /** The token as it was when it was last seen, which saves the first look. */
    readonly known?: Token;
  },
): Promise<void> {
  const { arrived, known } = about;
  for (let turn = 1; turn <= MAX_TURNS; turn++) {
    const token = (turn === 1 && known) || (await resources.get("token", name));
    const status = token?.status?.bound_keypair;
    if (!token || !status?.last_attempt || !arrived(status.last_attempt)) return;
    const { last_attempt: _arrived, ...rest } = status;
    try {
      await commit(store, [writeOf(withStatus(token, rest), "update")]);
      return;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  logger.debug("the record of an answered attempt was left, the token is busy", { token: name });
}
