import { badParameter } from "#base/kernel";
import { actorOf } from "#domain/audit";
import type { Authorities } from "#domain/authority";
import { authorityTypes, rotationPhases } from "#domain/resources";
import type {
  GetStatusResponse_AuthoritySchema,
  RotateAuthorityRequest,
  RotateAuthorityResponseSchema,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { oneOf } from "./one-of.ts";
import type { AuthCall, AuthParts } from "./parts.ts";
import type { TrustWatch } from "./trust-service.ts";

/** Takes authorities to a phase of a rotation; one that has it already stays, so one may repeat it. */
export async function rotateAuthority(
  { authorities, audit, trust }: Pick<AuthParts, "authorities" | "audit"> & { trust: TrustWatch },
  request: Omit<RotateAuthorityRequest, "$typeName">,
  { caller, remoteAddr }: Pick<AuthCall, "caller" | "remoteAddr">,
): Promise<MessageInitShape<typeof RotateAuthorityResponseSchema>> {
  if (request.types.length === 0)
    throw badParameter(`types is empty; name some of ${authorityTypes.join(", ")}`);
  const types = request.types.map((type) => oneOf("type", type, authorityTypes));
  const phase = oneOf("phase", request.phase || "init", rotationPhases);
  const graceMs = Number(request.gracePeriodSeconds) * 1_000;
  if (graceMs > 0 && phase !== "init")
    throw badParameter(`a grace period belongs to "init"; leave it out for "${phase}"`);
  const wish = {
    types,
    phase,
    ...(request.manual ? { mode: "manual" as const } : {}),
    ...(graceMs > 0 ? { graceMs } : {}),
  };
  const changed = await authorities.rotate(wish, {
    actor: actorOf(caller),
    remoteAddr,
    audit: (event) => audit.write(event),
  });
  return { authorities: authoritiesOf(authorities.describe(types), trust), changed };
}

/** As they go over the wire. */
export function authoritiesOf(
  summaries: readonly Summary[],
  trust: TrustWatch,
): MessageInitShape<typeof GetStatusResponse_AuthoritySchema>[] {
  const behind = trust.behind();
  return summaries.map((summary) => authorityOf(summary, behind[summary.type] ?? 0));
}

type Summary = ReturnType<Authorities["describe"]>[number];

function authorityOf(
  { rotation, notAfter, trustedFingerprints, ...rest }: Summary,
  behind: number,
): MessageInitShape<typeof GetStatusResponse_AuthoritySchema> {
  return {
    ...rest,
    notAfter: BigInt(notAfter),
    trustedFingerprints: [...trustedFingerprints],
    ...(rotation ? { rotation: { ...rotationOf(rotation), behind } } : {}),
  };
}

const rotationOf = ({
  startedAt,
  phaseSince,
  nextPhaseAt,
  graceMs,
  ...rest
}: NonNullable<Summary["rotation"]>) => ({
  ...rest,
  startedAt: BigInt(startedAt),
  phaseSince: BigInt(phaseSince),
  nextPhaseAt: BigInt(nextPhaseAt),
  gracePeriodSeconds: BigInt(Math.round(graceMs / 1_000)),
});
