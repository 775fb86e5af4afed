import { unavailable } from "#base/kernel";
import { caPins, type Trust } from "#domain/authority";
import { identityOf, type JoinState } from "#domain/join";
import type { Address } from "./address.ts";
import { firstContact } from "./first-contact.ts";

export interface ContactAgain {
  readonly address: Address;
  readonly caPins: readonly string[];
  readonly state: JoinState;
  /** Why what is stored did not do. */
  readonly cause: unknown;
  readonly signal: AbortSignal;
}

/**
 * The host authorities of a cluster that this machine knows only by ones of the past: it was away
 * while they were rotated. What a pin confirms is believed, unless the cluster is known to have left
 * that authority. Rejects with what the operator should do.
 */
export async function contactAgain(options: ContactAgain): Promise<Trust> {
  const { address, state, cause, signal } = options;
  if (!state.joined) throw cause;
  const known = identityOf(state.joined).trust;
  const left = new Set(state.left_pins);
  const pins = options.caPins.filter((pin) => !left.has(pin));
  if (pins.length === 0) throw stale(options, left);
  const found = await firstContact({ address, caPins: pins, signal });
  const trusted = new Set(caPins(known));
  // What answers is known here, and fails for another reason; or it is another cluster.
  if (caPins(found).every((pin) => trusted.has(pin))) throw cause;
  if (found.clusterName !== known.clusterName)
    throw unavailable(
      `the cluster at "${address.host}:${address.port}" is "${found.clusterName}", and this machine belongs to "${known.clusterName}"; use another storage directory for it`,
      { cause },
    );
  return found;
}

function stale({ address, caPins: given, cause }: ContactAgain, left: ReadonlySet<string>): Error {
  const why = given.some((pin) => left.has(pin))
    ? `its CA pin ${given.find((pin) => left.has(pin))} is of an authority that the cluster has left`
    : "it has no CA pin";
  return unavailable(
    `what answers at "${address.host}:${address.port}" is not certified by an authority that this machine knows, and ${why}; if the host authority was rotated while this machine was away, start it with the pin that \`tctl status\` prints (--ca-pin sha256:…)`,
    { cause },
  );
}
