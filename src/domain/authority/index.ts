export type { HostIdentity, UserIdentity } from "#domain/access";
export { type AppTokenRequest } from "./app-token.ts";
export {
  Authorities,
  MAX_TTL_MS,
  type AuthoritiesOptions,
  type IssuedCredentials,
  type KeysToCertify,
} from "./authorities.ts";
export { CA_KEY_KIND } from "./bootstrap.ts";
export { CurrentVerifier } from "./current-verifier.ts";
export { type AuthoritySummary } from "./describe.ts";
export { exportFormats, hostPattern, type ExportFormat } from "./export.ts";
export { decodeIdentityFile, encodeIdentityFile, type IdentityFile } from "./identity-file.ts";
export { type HostClaims, type UserClaims } from "./identity.ts";
export { type HostNames } from "./issue.ts";
export { type JoinStateClaims, type JoinStateDraft } from "./join-state.ts";
export { CLOCK_SKEW_MS } from "./keys.ts";
export { caPins, HOST_SERVER_NAME, trustFromProto, trustToProto, type Trust } from "./trust.ts";
export { ClientVerifier, verifyClientCertificate, type VerifiedCertificate } from "./verify.ts";
