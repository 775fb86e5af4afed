// What lies between an auth server and its store in a walk: it fails, and the server can be killed.
import { unavailable } from "#base/kernel";
import type { Store, Write } from "#base/storage";

type Call = (...options: never[]) => Promise<unknown>;

/** Ends the server at one of its awaits: before the store has heard of it, or before it has the answer. */
export interface Kill {
  /** Counts down with every call of the store. */
  calls: number;
  readonly when: "before" | "after";
}

/** One process of the auth server. */
interface Session {
  alive: boolean;
}

export class Disk {
  /** Of the next commit that the audit log hears of. */
  fault: "before" | "after" | undefined;
  kill: Kill | undefined;
  /** Sees every batch that was committed, by whomever. */
  observe: (writes: readonly Write[]) => void = () => {};
  #store: Store | undefined;
  /** Until the first process is there, there is none. */
  #session: Session = { alive: false };

  /** The store as administrators have it: whatever is mounted. */
  mount(store: Store): Store {
    this.#store = store;
    return proxyOf(this.#mounted, (key, call) =>
      key === "commit"
        ? async (...options) => {
            const committed = await call(...options);
            this.observe(writesOf(options));
            return committed;
          }
        : call,
    );
  }

  /** The same data, opened anew. */
  remount(store: Store): void {
    this.#store = store;
  }

  get killed(): boolean {
    return !this.#session.alive;
  }

  /** The store as the next process of the server has it; the one before is dead. */
  session(administrators: Store): Store {
    this.#session.alive = false;
    const session = { alive: true };
    this.#session = session;
    this.kill = undefined;
    return proxyOf(
      () => administrators,
      (key, call) =>
        async (...options) => {
          if (!session.alive) throw killed();
          this.#maybeKill(session, "before");
          const answer =
            key === "commit" ? await this.#commit(call, options) : await call(...options);
          this.#maybeKill(session, "after");
          if (!session.alive) throw killed();
          return answer;
        },
    );
  }

  readonly #mounted = (): Store => this.#store!;

  #maybeKill(session: Session, when: Kill["when"]): void {
    const { kill } = this;
    if (kill?.when !== when || session !== this.#session) return;
    if (--kill.calls > 0) return;
    this.kill = undefined;
    session.alive = false;
    throw killed();
  }

  async #commit(call: Call, options: never[]): Promise<unknown> {
    const joining = writesOf(options).some(({ kind }) => kind === "event");
    const { fault } = this;
    if (joining) this.fault = undefined;
    if (joining && fault === "before") throw unavailable("the disk is gone");
    const committed = await call(...options);
    if (joining && fault === "after") throw unavailable("the disk is gone");
    return committed;
  }
}

const writesOf = ([writes]: readonly unknown[]): readonly Write[] => writes as readonly Write[];

const killed = (): Error => unavailable("the server was killed");

/** The store that `target` gives at each call, with every asynchronous method as `change` makes it. */
function proxyOf(target: () => Store, change: (key: string, call: Call) => Call): Store {
  return new Proxy({} as Store, {
    get: (_none, key) => {
      const store = target();
      const value: unknown = Reflect.get(store, key);
      if (typeof value !== "function") return value;
      const call = (...options: never[]): Promise<unknown> =>
        Reflect.apply(value, target(), options) as Promise<unknown>;
      return key === "watch" || typeof key === "symbol" ? call : change(key, call);
    },
  });
}
