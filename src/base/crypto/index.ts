export { boundKeyFingerprint, boundKeyFromLine, boundKeyLine } from "./bound-key.ts";
export { DirectoryKeyStore } from "./directory-key-store.ts";
export { signJws, verifyJws } from "./jws.ts";
export { keyIdOf, signJwsWith, type KeyHandle, type KeyStore } from "./key-store.ts";
export {
  boundSuiteOf,
  generateKeyPair,
  jwkOf,
  jwkThumbprint,
  privateKeyFromPem,
  privateKeyPem,
  publicKeyFromSpki,
  publicKeyOf,
  spkiDer,
} from "./keys.ts";
export { KnownDocuments } from "./known-documents.ts";
export { MemoryKeyStore } from "./memory-key-store.ts";
export { derFromPem, pem, x509Pem } from "./pem.ts";
export { Pkcs11KeyStore, type Pkcs11Options } from "./pkcs11/key-store.ts";
export {
  boundKeySuites,
  keySuites,
  publicKeyBytes,
  type BoundKeySuite,
  type KeySuite,
} from "./public-key.ts";
export { constantTimeEqual, randomToken, sha256Hex } from "./random.ts";
export { decodeStaticKey, encodeStaticKey, StaticKeyStore } from "./static-key-store.ts";
export { parseSshCertificate, verifySshCertificate } from "./ssh-certificate-parse.ts";
export {
  issueSshCertificate,
  sshSigner,
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
  type ExtendedKeyUsage,
} from "./x509-extensions.ts";
export { issueX509, selfSignX509, x509Issuer, type X509Issuer } from "./x509-issue.ts";
export { parseX509, spkiPin, verifyX509Signature, type X509 } from "./x509-parse.ts";
