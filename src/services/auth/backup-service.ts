import { badParameter } from "#base/kernel";
import { actorOf } from "#domain/audit";
import { endResync, openResync } from "#domain/join";
import type {
  BackupRequest,
  SetResyncWindowRequest,
  SetResyncWindowResponseSchema,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { isAbsolute } from "node:path";
import type { AuthCall, AuthParts } from "./parts.ts";

/** Writes a backup beside a running cluster. */
export async function* backUpStore(
  { backup, audit }: AuthParts,
  { file }: Pick<BackupRequest, "file">,
  { caller, remoteAddr }: AuthCall,
): AsyncGenerator<{ bytes: bigint }, void, undefined> {
  if (!backup)
    throw badParameter(
      "this cluster's store is not embedded in it; back it up with the database's own tools",
    );
  if (!isAbsolute(file)) throw badParameter(`file "${file}" must be an absolute path`);
  const { bytes } = await backup(file);
  audit.emit({
    type: "cluster.backup",
    actor: actorOf(caller),
    remoteAddr,
    fields: { file, bytes },
  });
  yield { bytes: BigInt(bytes) };
}

/** After a restore: lets tokens be moved forward, or no longer. */
export async function setResyncWindow(
  parts: AuthParts,
  { open }: Pick<SetResyncWindowRequest, "open">,
  { caller, remoteAddr }: AuthCall,
): Promise<MessageInitShape<typeof SetResyncWindowResponseSchema>> {
  const by = { actor: actorOf(caller), remoteAddr };
  if (!open) return { until: 0n, changed: await endResync(parts, by) };
  const { until } = await openResync(parts, by);
  parts.logger.warn("a resync window is open: tokens may be moved forward to what machines prove", {
    until: new Date(until).toISOString(),
  });
  return { until: BigInt(until), changed: true };
}
