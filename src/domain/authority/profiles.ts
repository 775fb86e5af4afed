import {
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  extensionOids,
  keyUsage,
  type ExtendedKeyUsage,
} from "#base/crypto";
import { identityOids } from "./identity.ts";

/** What the certificates of each kind must carry and may carry: the writer and the checker share it. */
export interface Profile {
  readonly kind: "user" | "host";
  readonly purposes: readonly ExtendedKeyUsage[];
  /** The extensions that are the same in every certificate of the kind, ready to copy. */
  readonly fixed: readonly Buffer[];
  /** OIDs of all extensions that may appear, once each; others are refused. */
  readonly allowed: ReadonlySet<string>;
}

const COMMON = [
  extensionOids.basicConstraints,
  extensionOids.keyUsage,
  extensionOids.extendedKeyUsage,
  extensionOids.subjectKeyIdentifier,
  extensionOids.authorityKeyIdentifier,
];

function profile(
  kind: "user" | "host",
  purposes: readonly ExtendedKeyUsage[],
  more: readonly string[],
): Profile {
  return {
    kind,
    purposes,
    fixed: [
      basicConstraints("end-entity"),
      keyUsage("digitalSignature"),
      extendedKeyUsage(...purposes),
    ],
    allowed: new Set([...COMMON, identityOids[kind], ...more]),
  };
}

export const profiles = {
  user: profile("user", ["clientAuth"], []),
  host: profile("host", ["serverAuth", "clientAuth"], [extensionOids.subjectAltName]),
} as const;

/** Whether the purposes of a certificate (OIDs) are exactly the profile's. */
export function hasPurposes(found: readonly string[], { purposes }: Profile): boolean {
  return (
    found.length === purposes.length &&
    purposes.every((purpose) => found.includes(extendedKeyUsages[purpose]))
  );
}
