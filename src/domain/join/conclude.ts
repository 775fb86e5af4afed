import { maskedToken, type Attempt } from "./attempt.ts";
import type { JoinDependencies } from "./dependencies.ts";
import { refusalWrites, type Trace } from "./events.ts";
import type { Step } from "./protocol.ts";
import { settle } from "./refusal.ts";

/** Takes the decision of any method to its end; a refusal tells the audit log what was known by then. */
export async function conclude(about: {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly method: Trace["method"];
  /** As events may show it while nothing is known of it; by default its beginning. */
  readonly tokenName?: string;
  readonly decide: (trace: Trace) => Promise<Step>;
}): Promise<Step> {
  const { deps, attempt, method, decide, tokenName = maskedToken(attempt.token) } = about;
  const trace: Trace = { attempt, method, tokenName, proven: false };
  return await settle({
    store: deps.store,
    decide: () => decide(trace),
    failed: (refusal) => refusalWrites(deps.audit, trace, refusal),
  });
}
