import { actorOf } from "#domain/audit";
import { readResync } from "#domain/join";
import { caPins, exportFormats, type ExportFormat } from "#domain/authority";
import { authorityTypes, kinds, type AuthorityType } from "#domain/resources";
import type {
  ExportAuthorityRequest,
  GetStatusResponseSchema,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { authoritiesOf } from "./rotation-service.ts";
import { oneOf } from "./one-of.ts";
import type { AuthCall, AuthParts } from "./parts.ts";
import type { TrustWatch } from "./trust-service.ts";

export async function exportAuthority(
  { authorities, audit }: AuthParts,
  request: Pick<ExportAuthorityRequest, "type" | "format">,
  { caller, remoteAddr }: AuthCall,
): Promise<{ text: string }> {
  const type: AuthorityType = oneOf("type", request.type, authorityTypes);
  const format: ExportFormat | undefined =
    request.format === "" ? undefined : oneOf("format", request.format, exportFormats);
  const text = authorities.exportAuthority(type, format);
  audit.emit({
    type: "ca.export",
    actor: actorOf(caller),
    remoteAddr,
    fields: { authority: type, ...(format ? { format } : {}) },
  });
  return { text };
}

export async function getStatus(
  { authorities, store, config, trust }: AuthParts & { readonly trust: TrustWatch },
  startedAt: number,
): Promise<MessageInitShape<typeof GetStatusResponseSchema>> {
  const counts = await Promise.all(
    Object.keys(kinds).map(async (kind) => [kind, BigInt(await store.count({ kind }))] as const),
  );
  return {
    clusterName: authorities.clusterName,
    version: config.version,
    proxyPublicAddr: config.proxyPublicAddr,
    caPins: caPins(authorities.trust()),
    authorities: authoritiesOf(authorities.describe(), trust),
    counts: Object.fromEntries(counts),
    startedAt: BigInt(startedAt),
    resyncUntil: BigInt((await readResync({ store }))?.until ?? 0),
  };
}
