import { aborted, Bell } from "#base/kernel";
import type { BotIdentity } from "../identity.ts";

interface Rotation {
  readonly begun: boolean;
}

/** Says that it watches, and then each time that everything is to be renewed, until the signal aborts. */
export async function* rotations(
  identity: Pick<BotIdentity, "onRenewalAsked">,
  signal: AbortSignal,
): AsyncGenerator<Rotation> {
  const bell = new Bell();
  const left = aborted(signal);
  using _asked = identity.onRenewalAsked(() => bell.ring());
  yield { begun: true };
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _heard = bell.listen(resolve);
    await Promise.race([promise, left]);
    if (signal.aborted) return;
    yield { begun: false };
  }
}
