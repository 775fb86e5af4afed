export { Ceremony } from "./ceremony.ts";
export { type IssuerKeys } from "./dependencies.ts";
export { type IdTokenSource } from "./client-id-token.ts";
export { KeySet } from "./methods/oidc/key-set.ts";
export { lowRecoveries } from "./low-recoveries.ts";
export { resetToken } from "./reset.ts";
export { endResync, openResync, readResync, type ResyncWindow } from "./resync.ts";
export { JoinServer } from "./server.ts";
export { presentKeys } from "./client-keys.ts";
export { type JoinTransport } from "./client-ceremony.ts";
export {
  decodeJoinState,
  emptyJoinState,
  encodeJoinState,
  identityOf,
  MemoryJoinStorage,
  type JoinedIdentity,
  type JoinState,
  type JoinStorage,
} from "./client-state.ts";
export type { RotationWish } from "./client-wish.ts";
export { JoinClient, type ConnectToJoin, type JoinOutcome, type JoinSettings } from "./client.ts";
export { CEREMONY_MS, type JoinMessage, type JoinReply } from "./protocol.ts";
export { boundSettings, botToken, type BoundSettings } from "./new-token.ts";
export {
  joinUriAddress,
  joinUriOf,
  looksLikeJoinUri,
  parseJoinUri,
  type Entry,
  type JoinMethod,
} from "./uri.ts";
