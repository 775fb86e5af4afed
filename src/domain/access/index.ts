export { BUILTIN_LABEL, builtinRoles, builtinRoleWrites, isBuiltinRole } from "./builtin-roles.ts";
export { describeCaller } from "./caller.ts";
export { followLocks } from "./follow-locks.ts";
export { impersonation, loginsOf, maxSessionTtl, type Impersonation } from "./grants.ts";
export { hostRules } from "./host-rules.ts";
export type { Caller, HostIdentity, UserIdentity } from "./identity.ts";
export { checkApp, decideApp, matchesLabels, type Labels } from "./labels.ts";
export { lockedError, LockSet, lockTargetsOf } from "./locks.ts";
export { checkVerb, decideVerb, guardedResources, mayVerb, type Decision } from "./rules.ts";
