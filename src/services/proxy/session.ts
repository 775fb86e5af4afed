import { messageOf, CodedError, type Clock } from "#base/kernel";
import type { PipeCounts } from "#base/wire";
import type { UserIdentity } from "#domain/access";
import { actorOf, type Actor, type AuditLog } from "#domain/audit";
import { randomUUID } from "node:crypto";
import type { OpenSession, OpenSessions } from "./open-sessions.ts";

export interface SessionOptions {
  readonly app: string;
  readonly identity: UserIdentity;
  readonly remoteAddr: string;
  readonly audit: Pick<AuditLog, "emit">;
  readonly clock: Clock;
  /** Where it stands while it goes on. */
  readonly open: OpenSessions;
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
  /** Of the connections that go on. */
  readonly #running = new Set<PipeCounts>();
  #open: Disposable | undefined;
  #beganAt = 0;
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
    if (this.#open) return;
    this.#open = this.#options.open.add(() => this.#now);
    this.#beganAt = this.#options.clock.now();
    this.#emit({ type: "app.session.start", fields: this.#fields });
  }

  /** Bytes begin to flow, and are counted here as they do: from the client (`aToB`) and to it. */
  carries(counts: PipeCounts): void {
    this.#running.add(counts);
  }

  ended(counts: PipeCounts): void {
    this.#running.delete(counts);
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
    if (!this.#closed || !this.#open || this.#connections > 0) return;
    this.#open[Symbol.dispose]();
    this.#open = undefined;
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

  get #now(): OpenSession {
    const { app, identity, remoteAddr } = this.#options;
    const running = [this.#bytes, ...this.#running];
    return {
      id: this.#id,
      app,
      bot: identity.botName,
      instanceId: identity.botInstanceId,
      remoteAddr,
      startedAt: this.#beganAt,
      bytesUp: running.reduce((sum, { aToB }) => sum + aToB, 0),
      bytesDown: running.reduce((sum, { bToA }) => sum + bToA, 0),
    };
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
