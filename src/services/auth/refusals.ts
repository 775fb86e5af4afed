import { CodedError, codeOf, messageOf, type Clock, type ErrorCode } from "#base/kernel";
import type { RpcContext } from "#base/rpc";
import type { Caller } from "#domain/access";
import { actorOf, type AuditLog } from "#domain/audit";
import { AddressLimit } from "./address-limit.ts";

/** Enough to see who tries what; a caller that repeats itself all day does not fill the disk. */
const TOLD_REFUSALS = { burst: 30, perSecond: 0.1, addresses: 10_000 };

const refused: ReadonlySet<ErrorCode> = new Set(["access_denied", "unauthenticated"]);

/** Tells the audit log who was refused what, up to a limit for each caller. */
export class Refusals {
  readonly #audit: Pick<AuditLog, "emit">;
  readonly #limit: AddressLimit;

  constructor(parts: { readonly audit: Pick<AuditLog, "emit">; readonly clock: Clock }) {
    this.#audit = parts.audit;
    this.#limit = new AddressLimit(parts.clock, TOLD_REFUSALS);
  }

  tell(context: Pick<RpcContext, "method" | "remoteAddr">, caller: Caller, error: unknown): void {
    const code = codeOf(error);
    if (!refused.has(code) && code !== "limit_exceeded") return;
    const actor = actorOf(caller);
    const key = actor.kind === "anonymous" ? context.remoteAddr : `${actor.kind}:${actor.name}`;
    if (!this.#limit.take(key)) return;
    const { method: rpc, remoteAddr } = context;
    if (refused.has(code)) {
      const fields = { rpc, reason: reasonOf(error) };
      this.#audit.emit({ type: "auth.denied", actor, remoteAddr, fields });
    } else {
      const fields = { rpc, limit: messageOf(error) };
      this.#audit.emit({ type: "limit.exceeded", actor, remoteAddr, fields });
    }
  }
}

/** The log learns what the caller may not. */
export const reasonOf = (error: unknown): string =>
  (error instanceof CodedError && error.detail) || messageOf(error);
