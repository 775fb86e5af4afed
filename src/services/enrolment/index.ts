export { formatAddress, parseAddress, type Address } from "./address.ts";
export { boundKeyFaults, boundKeyFields, type BoundKeyFields } from "./bound-key-fields.ts";
export { ClusterClient, type ClusterClientOptions } from "./cluster-client.ts";
export { DirectoryJoinStorage, holderOfStorage, lockJoinStorage } from "./directory-storage.ts";
export { Enrolment, type EnrolmentOptions } from "./enrolment.ts";
export { followTrust, type FollowTrust } from "./follow-trust.ts";
export {
  idTokenFields,
  idTokenPlace,
  idTokenSource,
  knowsIdTokens,
  type IdTokenPlace,
} from "./id-token.ts";
export { openKeyStore } from "./key-stores.ts";
export { boundKeyIn, DirectoryRotationWish, wishRotation } from "./rotation-wish.ts";
