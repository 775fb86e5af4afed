import { sha256Hex } from "#base/crypto";
import { ownHostIdentity, type Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Trace } from "../../events.ts";
import { firstJoinOf, isRepeat, readRecord } from "../../instances/attempt-record.ts";
import { joinAsNewHost, refreshHost } from "../../instances/hosts.ts";
import type { Step } from "../../protocol.ts";
import type { VerifiedIdToken } from "./id-token.ts";
import { useOnce } from "./used.ts";

/** 6 to 9, for agents: the host certificate keeps the host; otherwise the host id must be free. */
export async function joinAgent(
  known: { readonly deps: JoinDependencies; readonly attempt: Attempt; readonly trace: Trace },
  verified: VerifiedIdToken,
): Promise<Step> {
  const { deps, attempt } = known;
  const { hostId } = attempt.host;
  const own = ownHostIdentity(attempt);
  if (own) {
    const writes = await useOnce(deps, verified, { id: own.hostId, known: true });
    return await refreshHost({ ...known, writes }, own);
  }
  const record = firstJoinOf(attempt.token, sha256Hex(attempt.tlsPublicKey));
  const stored = await readRecord(deps, record);
  const repeated = stored && isRepeat(stored.record, attempt) ? stored : undefined;
  const same = repeated?.record.host_id === hostId;
  const writes = await useOnce(deps, verified, { id: hostId, known: same });
  return await joinAsNewHost(
    { ...known, writes },
    { record, repeated: same ? repeated : undefined },
  );
}
