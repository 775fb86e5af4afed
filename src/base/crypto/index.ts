export { MAX_DER_BYTES } from "./der-reader.ts";
export { DirectoryKeyStore } from "./directory-key-store.ts";
export { MAX_JWS_BYTES, signJws, verifyJws, type JwsHeader, type VerifiedJws } from "./jws.ts";
export { keyIdOf, signJwsWith, type KeyHandle, type KeyStore } from "./key-store.ts";
export {
  generateKeyPair,
  jwkOf,
  jwkThumbprint,
  privateKeyFromPem,
  privateKeyPem,
  publicKeyFromSpki,
  publicKeyOf,
  spkiDer,
  suiteOf,
  type KeyPair,
} from "./keys.ts";
export { MemoryKeyStore } from "./memory-key-store.ts";
export { derFromPem, pem, x509Pem } from "./pem.ts";
export { keySuites, publicKeyBytes, type KeySuite, type PublicKeyBytes } from "./public-key.ts";
export { constantTimeEqual, randomToken, sha256Hex } from "./random.ts";
export { parseSshCertificate, verifySshCertificate } from "./ssh-certificate-parse.ts";
export {
  issueSshCertificate,
  sshSigner,
  type SshCertificate,
  type SshCertificateType,
  type SshOptions,
  type SshSigner,
} from "./ssh-certificate.ts";
export {
  openSshPrivateKey,
  publicKeyBytesFromSshLine,
  publicKeyFromSshLine,
  sshFingerprint,
  sshPublicKeyLine,
} from "./ssh-key.ts";
export {
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  extensionOids,
  keyUsage,
  privateExtension,
  subjectAltName,
  type AltNames,
  type ExtendedKeyUsage,
  type KeyUsage,
} from "./x509-extensions.ts";
export {
  issueX509,
  selfSignX509,
  x509Issuer,
  type X509Draft,
  type X509Issuer,
} from "./x509-issue.ts";
export { type Name } from "./x509-name.ts";
export {
  parseX509,
  spkiPin,
  verifyX509Signature,
  type X509,
  type X509Extension,
} from "./x509-parse.ts";
