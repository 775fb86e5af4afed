import { toJson } from "@bufbuild/protobuf";
import { TrustBundleSchema } from "@tenon/api/tenon/join/v1/join";
import { badParameter } from "#base/kernel";
import { caPins, trustToProto, type Trust } from "#domain/authority";
import { identityOf, type JoinState } from "./client-state.ts";

/** More rotations than a machine sees in its life; a pin takes 71 bytes. */
const MAX_LEFT = 32;

/**
 * The pins of host authorities that the cluster has left. One of them may stand in the machine's
 * configuration for ever, and must not be believed again: perhaps the authority was left because its
 * key was stolen.
 */
export function leftPins(before: JoinState, trust: Trust): Pick<JoinState, "left_pins"> {
  const known = before.joined ? caPins(identityOf(before.joined).trust) : [];
  const trusted = new Set(caPins(trust));
  const left = [...(before.left_pins ?? []), ...known].filter((pin) => !trusted.has(pin));
  return left.length > 0 ? { left_pins: [...new Set(left)].slice(-MAX_LEFT) } : {};
}

/** The state with other authorities; `bad_parameter` for those of another cluster. */
export function withTrust(state: JoinState, trust: Trust): JoinState {
  const { left_pins: _before, ...rest } = state;
  if (!rest.joined) return state;
  const { clusterName } = identityOf(rest.joined).trust;
  if (trust.clusterName !== clusterName)
    throw badParameter(
      `the authorities are those of "${trust.clusterName}", and this machine belongs to "${clusterName}"; not kept`,
    );
  const joined = { ...rest.joined, trust: toJson(TrustBundleSchema, trustToProto(trust)) };
  return { ...rest, ...leftPins(state, trust), joined };
}
