import { Bell } from "#base/kernel";
import { trustToProto, type Authorities } from "#domain/authority";
import type { TrustUpdateSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthCall } from "./parts.ts";
import { rung } from "./rung.ts";

type Update = MessageInitShape<typeof TrustUpdateSchema>;

/** A renewal is a join and a few certificates: one core does a thousand joins a second. */
const RENEWALS_PER_SECOND = 200;

/** Tells bots and agents what they are to trust, at once and again after each change. */
export class TrustWatch {
  readonly #authorities: Pick<Authorities, "trust" | "onChange">;
  #watchers = 0;

  constructor(authorities: Pick<Authorities, "trust" | "onChange">) {
    this.#authorities = authorities;
  }

  async *watch({ signal }: Pick<AuthCall, "signal">): AsyncGenerator<Update, void, undefined> {
    const bell = new Bell();
    using _changes = this.#authorities.onChange(() => bell.ring());
    using _counted = this.#count();
    for (let told; !signal.aborted; await rung(bell, signal)) {
      const trust = this.#authorities.trust();
      if (trust === told) continue;
      told = trust;
      const renewWithinSeconds = Math.floor(this.#watchers / RENEWALS_PER_SECOND);
      yield { trust: trustToProto(trust), renewWithinSeconds };
    }
  }

  #count(): Disposable {
    this.#watchers += 1;
    return { [Symbol.dispose]: () => void (this.#watchers -= 1) };
  }
}
