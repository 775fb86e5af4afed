export { appKind, appName, appNamePattern, appResourceName, type App } from "./app.ts";
export {
  botInstanceKind,
  botInstanceName,
  lastActiveAt,
  MAX_RECORDS,
  type Authentication,
  type BotInstance,
  type Heartbeat,
  type ServiceHealth,
} from "./bot-instance.ts";
export { botKind, botUserName, type Bot } from "./bot.ts";
export {
  authorityTypes,
  certAuthorityKind,
  type AuthorityPublicKeys,
  type AuthorityType,
  type CertAuthority,
} from "./cert-authority.ts";
export { CLUSTER_CONFIG_NAME, clusterConfigKind, type ClusterConfig } from "./cluster-config.ts";
export {
  defineKind,
  labels,
  resourceName,
  type Kind,
  type Metadata,
  type Resource,
} from "./kind.ts";
export { kinds, type KindName, type ResourceOf } from "./kinds.ts";
export { lockKind, lockTargetKey, lockTargets, type Lock, type LockTarget } from "./lock.ts";
export {
  roleKind,
  verbs,
  type LabelMatchers,
  type Role,
  type RoleConditions,
  type Verb,
} from "./role.ts";
export {
  recoveryModes,
  systemRoles,
  tokenKind,
  type JoinAttempt,
  type RecoveryMode,
  type SystemRole,
  type Token,
} from "./token.ts";
export { BOT_LABEL, traits, userKind, type Traits, type User } from "./user.ts";
