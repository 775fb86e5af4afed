export { appKind, appName, appNamePattern, appResourceName, type App } from "./app.ts";
export {
  botInstanceKind,
  botInstanceName,
  credentialsEnd,
  credentialsEndKey,
  firstSeenAt,
  healthOf,
  lastActiveAt,
  MAX_RECORDS,
  type Authentication,
  type BotInstance,
  type Heartbeat,
  type ServiceHealth,
} from "./bot-instance.ts";
export { botKind, botTraits, botUserName, type Bot } from "./bot.ts";
export { boundKeyLockTargets, boundKeyState, type BoundKeyState } from "./bound-key.ts";
export { deleteOf, fromItem, parseClientDocument, parseDocument, writeOf } from "./document.ts";
export { expiryOf } from "./expiry.ts";
export type { Filter } from "./filter.ts";
export {
  authorityTypes,
  certAuthorityKind,
  rotationPhases,
  type AuthorityPublicKeys,
  type AuthorityType,
  type CertAuthority,
  type Rotation,
  type RotationPhase,
} from "./cert-authority.ts";
export { CLUSTER_CONFIG_NAME, clusterConfigKind, type ClusterConfig } from "./cluster-config.ts";
export {
  defineKind,
  INTERNAL_LABELS,
  labels,
  resourceName,
  type Kind,
  type Metadata,
  type Resource,
} from "./kind.ts";
export {
  isKindName,
  kindNamed,
  kinds,
  storeIndexes,
  type AnyResource,
  type KindName,
  type ResourceOf,
} from "./kinds.ts";
export type { ListOptions, ResourcePage } from "./listing.ts";
export { DEFAULT_PAGE, MAX_EXAMINED, readPage, type PageRequest, type ReadPage } from "./paging.ts";
export {
  JOIN_TOKEN_LABEL,
  lockKind,
  lockTargetKey,
  lockTargets,
  type Lock,
  type LockTarget,
} from "./lock.ts";
export { PageTokens } from "./page-token.ts";
export { fallsBelow, recoveriesKey, recoveriesLeft } from "./recoveries.ts";
export { exactly, Resources, type RangeOptions } from "./resources.ts";
export {
  roleKind,
  ruleResources,
  templateOf,
  verbs,
  type LabelMatchers,
  type Role,
  type RoleConditions,
  type RuleResource,
  type Verb,
} from "./role.ts";
export {
  joinMethods,
  MAX_FORMER_KEYS,
  recoveryModes,
  systemRoles,
  tokenDisplayName,
  tokenKind,
  type JoinAttempt,
  type RecoveryMode,
  type SystemRole,
  type Token,
} from "./token.ts";
export {
  MAX_ID_TOKEN_AGE_MS,
  type GithubSpec,
  type GitlabSpec,
  type KubernetesSpec,
  type OidcSpec,
} from "./token-oidc.ts";
export { BOT_LABEL, traits, userKind, type Traits, type User } from "./user.ts";
