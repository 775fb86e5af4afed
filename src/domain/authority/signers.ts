import { createPublicKey, type KeyObject } from "node:crypto";
import {
  derFromPem,
  jwkThumbprint,
  parseX509,
  privateKeyFromPem,
  publicKeyBytes,
  publicKeyOf,
  spkiDer,
  sshPublicKeyLine,
  sshSigner,
  x509Issuer,
  type SshSigner,
  type X509Issuer,
} from "#base/crypto";
import { internal } from "#base/kernel";
import type { AuthorityPublicKeys } from "#domain/resources";
import type { PrivateKeys } from "./keys.ts";

/** Makes the stored keys of one authority ready to sign: imported once, issuer parts prebuilt. */
export interface StoredKeys {
  readonly publicKeys: AuthorityPublicKeys;
  readonly privateKeys: PrivateKeys;
}

export interface X509Signer {
  readonly issuer: X509Issuer;
  /** Nothing that it signs may last longer than its own certificate. */
  readonly notAfter: number;
}

/** `keyId` is the `kid` of its tokens: the RFC 7638 thumbprint. */
export interface JwtSigner {
  readonly privateKey: KeyObject;
  readonly keyId: string;
}

export function x509Signer(keys: StoredKeys): X509Signer {
  const privateKey = privateKeyOf(keys, "x509");
  const der = certificateOf(keys.publicKeys);
  const { spki, notAfter } = parseX509(der);
  if (!spki.equals(spkiDer(privateKey))) throw mismatch(keys);
  return { issuer: x509Issuer(der, privateKey), notAfter };
}

export function sshSignerOf(keys: StoredKeys): SshSigner {
  const privateKey = privateKeyOf(keys, "ssh");
  if (keys.publicKeys.ssh_public_key !== sshPublicKeyLine(privateKey)) throw mismatch(keys);
  return sshSigner(privateKey);
}

export function jwtSigner(keys: StoredKeys): JwtSigner {
  const privateKey = privateKeyOf(keys, "jwt");
  if (!publicKeyOf(privateKey).equals(jwtPublicKey(keys.publicKeys))) throw mismatch(keys);
  return { privateKey, keyId: keyIdOf(privateKey) };
}

export const keyIdOf = (key: KeyObject): string => jwkThumbprint(publicKeyBytes(spkiDer(key)));

/** The X.509 certificate of one set of keys, DER. */
export function certificateOf(keys: AuthorityPublicKeys): Buffer {
  const [der] = derFromPem(keys.x509_certificate ?? "");
  if (!der) throw internal(`the authority keys "${keys.key_id}" have no certificate`);
  return der;
}

export function jwtPublicKey(keys: AuthorityPublicKeys): KeyObject {
  if (!keys.jwt_public_key)
    throw internal(`the authority keys "${keys.key_id}" have no public key for tokens`);
  return createPublicKey(keys.jwt_public_key);
}

function privateKeyOf({ publicKeys, privateKeys }: StoredKeys, use: keyof PrivateKeys): KeyObject {
  const pem = privateKeys[use];
  if (!pem) throw internal(`the authority keys "${publicKeys.key_id}" have no ${use} private key`);
  return privateKeyFromPem(pem);
}

const mismatch = ({ publicKeys }: StoredKeys): Error =>
  internal(`the private and the public half of the authority keys "${publicKeys.key_id}" differ`);
