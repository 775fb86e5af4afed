/** One client's TLS session for one application, as it stands now. */
export interface OpenSession {
  readonly id: string;
  readonly app: string;
  /** Of a bot. */
  readonly bot: string | undefined;
  readonly instanceId: string | undefined;
  readonly remoteAddr: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** So far: from the client, and to it. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** The sessions that go on in this process. */
export class OpenSessions {
  readonly #sessions = new Set<() => OpenSession>();

  /** There until disposed; `now` says how it stands. */
  add(now: () => OpenSession): Disposable {
    this.#sessions.add(now);
    return { [Symbol.dispose]: () => void this.#sessions.delete(now) };
  }

  list(): readonly OpenSession[] {
    return Array.from(this.#sessions, (now) => now());
  }
}
