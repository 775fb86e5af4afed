export { grantByAcl, isPrivate, type AclPolicy, type Reader } from "./acl.ts";
export { aborted, deadline, sleep, systemClock, type Clock } from "./clock.ts";
export {
  accessDenied,
  alreadyExists,
  badParameter,
  canceled,
  CodedError,
  codeOf,
  compareFailed,
  errorCodes,
  internal,
  limitExceeded,
  messageOf,
  notFound,
  timedOut,
  unauthenticated,
  unavailable,
  type ErrorCode,
} from "./errors.ts";
export {
  ensurePrivateDirectory,
  fileError,
  removeLeftovers,
  syncDirectory,
  writeFileAtomic,
} from "./files.ts";
export { deepFreeze } from "./freeze.ts";
export { silentLogger, type LogFields, type Logger } from "./log.ts";
export { Mailbox } from "./mailbox.ts";
export { createPrivate, holderOfLock, lockForProcess } from "./process-lock.ts";
export { Recent } from "./recent.ts";
export { backoffDelay, type Backoff } from "./retry.ts";
export { Bell, runRepeatedly, waitOrBell, type RepeatedTask } from "./run.ts";
export { siteOf } from "./site.ts";
export { VERSION } from "./version.ts";
