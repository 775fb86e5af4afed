export { parseAddress, type Address } from "./address.ts";
export { ClusterClient, type ClusterClientOptions } from "./cluster-client.ts";
export { DirectoryJoinStorage, lockJoinStorage } from "./directory-storage.ts";
export { Enrolment, type EnrolmentOptions } from "./enrolment.ts";
export { followTrust, type FollowTrust } from "./follow-trust.ts";
export {
  idTokenFields,
  idTokenPlace,
  idTokenSource,
  knowsIdTokens,
  type IdTokenPlace,
} from "./id-token.ts";
