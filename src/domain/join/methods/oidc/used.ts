import type { Write } from "#base/storage";
import * as z from "zod";
import type { JoinDependencies } from "../../dependencies.ts";
import { Distrust, type VerifiedIdToken } from "./id-token.ts";

const KIND = "used_id_token";

/** Who an ID token let in: a bot instance or an agent's host, by its id. */
const usedBy = z.strictObject({ holder: z.string() });

/**
 * 6. "Single use of each ID token": it lets one machine in, which may show it again as long as it is
 * valid: to renew its certificate, or because a reply was lost. Throws `Distrust` for another one;
 * otherwise gives what is to be recorded.
 */
export async function useOnce(
  { store }: Pick<JoinDependencies, "store">,
  verified: VerifiedIdToken,
  holder: { readonly id: string; readonly known: boolean },
): Promise<readonly Write[]> {
  const name = verified.digest;
  const item = await store.get(KIND, name);
  if (!item) {
    const value = usedBy.parse({ holder: holder.id });
    return [{ op: "create", kind: KIND, name, value, expires: verified.usableUntil }];
  }
  const used = usedBy.parse(item.value);
  if (holder.known && used.holder === holder.id)
    return [{ op: "check", kind: KIND, name, revision: item.revision }];
  throw new Distrust(`the ID token was used before, by "${used.holder}"`, { signatureSeen: true });
}
