export { builtinRoles, builtinRoleWrites, isBuiltinRole } from "./builtin-roles.ts";
export { describeCaller } from "./caller.ts";
export { followLocks } from "./follow-locks.ts";
export { impersonation, loginsOf, maxSessionTtl } from "./grants.ts";
export { hostRules } from "./host-rules.ts";
export type { Caller, HostIdentity, UserIdentity } from "./identity.ts";
export {
  checkOpen,
  decideOpen,
  matchesLabels,
  openableKinds,
  openableTitle,
  openerField,
  type Holder,
  type OpenableKind,
} from "./labels.ts";
export { lockedError, LockSet, lockTargetsOf } from "./locks.ts";
export { checkDatabase, describeRoute, type DatabaseRoute, type Routed } from "./route.ts";
export { checkVerb, decideVerb, guardedResources, mayVerb } from "./rules.ts";
