import type { Init } from "@tenon/api/tenon/join/v1/join";
import { badParameter } from "#base/kernel";
import type { HostIdentity, UserIdentity } from "#domain/access";
import { readAttempt, type Attempt, type Origin } from "./attempt.ts";
import { Ceremony } from "./ceremony.ts";
import type { JoinDependencies } from "./dependencies.ts";
import { methods } from "./methods/index.ts";
import type { BlockOf, MethodCase, UsedCertificate } from "./methods/method.ts";
import type { Step } from "./protocol.ts";

/** The server's half of joining. Limits on callers and on the sizes of messages are the caller's. */
export class JoinServer {
  readonly #deps: JoinDependencies;

  constructor(deps: JoinDependencies) {
    this.#deps = deps;
  }

  /**
   * One ceremony, for one stream. `certificate` is what the connection proved, also when it is
   * locked: a machine whose instance was superseded must get here to be found out.
   */
  begin(origin: Origin): Ceremony {
    const { clock, logger } = this.#deps;
    return new Ceremony({ clock, logger, begin: (init) => this.#begin(init, origin) });
  }

  /**
   * To be called when a machine's own certificate is used for anything else: it has its credentials, so
   * the attempt that gave them can no longer be repeated. Costs one read when there is nothing to do.
   */
  async certificateUsed(identity: UserIdentity | HostIdentity): Promise<void> {
    const used = "hostId" in identity ? usedBy(identity) : identity;
    await Promise.all(Object.values(methods).map((method) => method.used(this.#deps, used)));
  }

  async #begin(init: Init, origin: Origin): Promise<Step> {
    const attempt = readAttempt(init, origin);
    if (init.method.case === undefined)
      throw badParameter("the Init has no block of a join method that this server knows");
    return await this.#start(init.method.case, attempt, init.method.value);
  }

  #start<C extends MethodCase>(name: C, attempt: Attempt, block: BlockOf<C>): Promise<Step> {
    return methods[name].begin(this.#deps, attempt, block);
  }
}

const usedBy = ({ joinToken, instanceId, generation }: HostIdentity): UsedCertificate => ({
  joinToken,
  botInstanceId: instanceId,
  generation,
});
