export type { UserIdentity } from "#domain/access";
export { Authorities, type IssuedCredentials } from "./authorities.ts";
export { CA_KEY_KIND } from "./bootstrap.ts";
export { CurrentVerifier } from "./current-verifier.ts";
export { exportFormats, type ExportFormat } from "./export.ts";
export { decodeIdentityFile, encodeIdentityFile } from "./identity-file.ts";
export { type HostClaims, type UserClaims } from "./identity.ts";
export { recoveriesLeft, type JoinStateClaims } from "./join-state.ts";
export {
  caPins,
  HOST_SERVER_NAME,
  sameTrust,
  trustFromProto,
  trustToProto,
  type Trust,
} from "./trust.ts";
export { ClientVerifier, verifyClientCertificate, type VerifiedCertificate } from "./verify.ts";
