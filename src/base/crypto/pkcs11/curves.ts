import type { KeySuite } from "../public-key.ts";
import { sha256 } from "../random.ts";
import { mechanisms } from "./cryptoki.ts";

/** How PKCS#11 spells a suite. */
export interface Curve {
  readonly keyType: number;
  readonly keyPairGen: number;
  readonly sign: number;
  /** Spellings of CKA_EC_PARAMS (RFC 8410, RFC 5480); the first one is asked for. */
  readonly params: readonly string[];
  readonly pointBytes: number;
  /** CKM_ECDSA takes a digest, CKM_EDDSA the message. */
  readonly input: (data: Uint8Array) => Uint8Array;
}

/** In order of preference. */
export const CURVES: Readonly<Record<KeySuite, Curve>> = {
  ed25519: {
    keyType: 0x40,
    keyPairGen: mechanisms.edwardsKeyPairGen,
    sign: mechanisms.eddsa,
    // The object identifier, and the name "edwards25519" of PKCS#11 3.0.
    params: ["06032b6570", "130c656477617264733235353139"],
    pointBytes: 32,
    input: (data) => data,
  },
  "ecdsa-p256": {
    keyType: 0x3,
    keyPairGen: mechanisms.ecKeyPairGen,
    sign: mechanisms.ecdsa,
    params: ["06082a8648ce3d030107"],
    pointBytes: 65,
    input: (data) => sha256(data),
  },
};
export const SUITES = Object.keys(CURVES) as KeySuite[];
