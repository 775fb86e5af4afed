import type { Clock } from "#base/kernel";
import type { AuditLog } from "#domain/audit";
import type { Refusal } from "./port.ts";

/** One event for an address and a reason in this time: a stranger must not fill the disk. */
const QUIET_MS = 60_000;
/** Addresses remembered at once; beyond that nothing new is told until some are forgotten. */
const MAX_REMEMBERED = 1_000;

/** Tells the audit log of refused connections where security is concerned, and how often at most. */
export class RefusalLog {
  readonly #audit: Pick<AuditLog, "emit">;
  readonly #clock: Clock;
  readonly #told = new Map<string, number>();

  constructor(audit: Pick<AuditLog, "emit">, clock: Clock) {
    this.#audit = audit;
    this.#clock = clock;
  }

  /** A hello that is no TLS, or a handshake that broke off, is the noise of the internet. */
  refused({ route, remoteAddr, reason, detail }: Refusal): void {
    if (reason === "hello" || reason === "handshake") return;
    if (!this.#isNews(`${remoteAddr} ${route} ${reason}`)) return;
    const about = { actor: { kind: "anonymous" as const, name: "" }, remoteAddr };
    if (reason === "limit")
      this.#audit.emit({ ...about, type: "limit.exceeded", fields: { limit: detail } });
    else
      this.#audit.emit({
        ...about,
        type: "auth.denied",
        fields: { rpc: `tls/${route}`, reason: detail },
      });
  }

  #isNews(key: string): boolean {
    const now = this.#clock.monotonic();
    for (const [other, at] of this.#told) {
      // Insertion order is the order of time: the first that is fresh ends the search.
      if (now - at < QUIET_MS) break;
      this.#told.delete(other);
    }
    if (this.#told.has(key) || this.#told.size >= MAX_REMEMBERED) return false;
    this.#told.set(key, now);
    return true;
  }
}
