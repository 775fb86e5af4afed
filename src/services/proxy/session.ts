import { messageOf, CodedError, type Clock } from "#base/kernel";
import type { PipeCounts } from "#base/wire";
import type { UserIdentity } from "#domain/access";
import { actorOf, type Actor, type AuditLog } from "#domain/audit";
import { randomUUID } from "node:crypto";

export interface SessionOptions {
  readonly app: string;
  readonly identity: UserIdentity;
  readonly remoteAddr: string;
  readonly audit: Pick<AuditLog, "emit">;
  readonly clock: Clock;
}

/**
 * What the audit log hears of one client's TLS session for one application, however many connections
 * it carries: a start when the first is let through, an end with the bytes of all, and each reason
 * for a refusal once.
 */
export class AppSession {
  readonly #options: SessionOptions;
  readonly #actor: Actor;
  readonly #id = randomUUID();
  readonly #startedAt: number;
  readonly #denials = new Set<string>();
  readonly #bytes: PipeCounts = { aToB: 0, bToA: 0 };
  #started = false;
  #connections = 0;
  #closed: { readonly reason: string | undefined } | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.#actor = actorOf({ kind: "user", identity: options.identity, roles: [] });
  }

  /** A connection was let through; `ended` must follow. */
  began(): void {
    this.#connections += 1;
    if (this.#started) return;
    this.#started = true;
    this.#emit({ type: "app.session.start", fields: this.#fields });
  }

  /** Counts are from the client (`aToB`) and to it. */
  ended(counts: PipeCounts): void {
    this.#bytes.aToB += counts.aToB;
    this.#bytes.bToA += counts.bToA;
    this.#connections -= 1;
    this.#maybeEnd();
  }

  denied(error: unknown): void {
    const reason = (error instanceof CodedError && error.detail) || messageOf(error);
    if (this.#denials.has(reason)) return;
    this.#denials.add(reason);
    this.#emit({ type: "app.session.denied", fields: { app: this.#options.app, reason } });
  }

  /** The TLS session is gone; connections may still report their bytes. */
  closed(reason?: string): void {
    this.#closed ??= { reason };
    this.#maybeEnd();
  }

  #maybeEnd(): void {
    if (!this.#closed || !this.#started || this.#connections > 0) return;
    this.#started = false;
    const { reason } = this.#closed;
    this.#emit({
      type: "app.session.end",
      fields: {
        ...this.#fields,
        bytes_up: this.#bytes.aToB,
        bytes_down: this.#bytes.bToA,
        duration_ms: Math.round(this.#options.clock.monotonic() - this.#startedAt),
        ...(reason === undefined ? {} : { reason }),
      },
    });
  }

  get #fields(): { session_id: string; app: string } {
    return { session_id: this.#id, app: this.#options.app };
  }

  #emit(event: SessionEvent): void {
    const { audit, remoteAddr } = this.#options;
    audit.emit({ ...event, actor: this.#actor, remoteAddr });
  }
}

type Draft = Parameters<AuditLog["emit"]>[0];
type Bare<D> = D extends Draft ? Omit<D, "actor" | "remoteAddr"> : never;
type SessionEvent = Bare<Extract<Draft, { type: `app.session.${string}` }>>;
