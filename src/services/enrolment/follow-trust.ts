import { sleep, type Clock } from "#base/kernel";
import { trustFromProto } from "#domain/authority";
import type { Enrolment } from "./enrolment.ts";

export interface FollowTrust {
  readonly enrolment: Enrolment;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onReady?: () => void;
  /** Other authorities are stored and in use: renew what the ones before have signed. */
  readonly renew: () => void;
}

/**
 * Keeps what this machine trusts in step with the cluster until the signal aborts; rejects when the
 * stream breaks. A fleet hears of a change at once, and renews over the time that the cluster names.
 */
export async function followTrust(options: FollowTrust): Promise<void> {
  const { enrolment, clock, random, signal, onReady, renew } = options;
  for await (const update of enrolment.client.auth.watchTrust({}, { signal })) {
    if (!update.trust) continue;
    const changed = await enrolment.keepTrust(trustFromProto(update.trust));
    onReady?.();
    if (!changed) continue;
    // Not bound to the stream, which may end with the connection that carried it.
    const wait = sleep(clock, random() * update.renewWithinSeconds * 1_000, signal);
    void wait.then(renew, () => {});
  }
}
