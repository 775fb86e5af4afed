import { unauthenticated, type Clock } from "#base/kernel";
import type { RpcContext } from "#base/rpc";
import { lockedError, type HostIdentity, type LockSet, type UserIdentity } from "#domain/access";

/**
 * Ends a call that goes on when its caller is locked, or when the caller's certificate expires.
 * Dispose it with the call.
 */
export function leaseCall(
  parts: { readonly locks: LockSet; readonly clock: Clock },
  context: Pick<RpcContext, "end">,
  identity: UserIdentity | HostIdentity,
): Disposable {
  const { locks, clock } = parts;
  const check = (): void => {
    const lock = locks.match(identity, clock.now());
    if (lock) context.end(lockedError(lock));
  };
  const change = locks.onChange(check);
  const expiry = clock.timer(Math.max(0, identity.expires - clock.now()), () =>
    context.end(unauthenticated("the certificate has expired; call again with a new one")),
  );
  return {
    [Symbol.dispose]: () => {
      change[Symbol.dispose]();
      expiry[Symbol.dispose]();
    },
  };
}
