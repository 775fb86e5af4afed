import { boundKeySuites } from "#base/crypto";
import * as z from "zod";

const pkcs11 = z.strictObject({
  module: z.string().min(1).meta({
    description: "path of the token's PKCS#11 module, such as /usr/lib/softhsm/libsofthsm2.so",
  }),
  slot: z.int().min(0).optional().meta({ description: "number of the token's slot" }),
  token_label: z.string().min(1).optional().meta({
    description: "label of the token; without slot and label, the only token of the module",
  }),
  pin: z.string().min(1).optional().meta({ secret: true, description: "user PIN of the token" }),
  pin_path: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true, description: "file that holds the PIN" }),
  pin_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "must be the name of an environment variable" })
    .optional()
    .meta({ description: "environment variable that holds the PIN" }),
  key_label: z.string().min(1).default("tenon").meta({
    description: "label of the keys in the token; machines that share a token need one each",
  }),
});

/** For `bound_keypair`: what the bound key is, and where it lives if not in the storage. */
export const boundKeyFields = z.strictObject({
  static_key_path: z.string().min(1).optional().meta({
    flag: "static-key-path",
    path: true,
    placeholder: "path",
    description:
      "file that holds a static bound key, as `tbot keypair create --static` prints it (or TBOT_BOUND_KEYPAIR_STATIC_KEY)",
  }),
  key_suite: z.enum(boundKeySuites).optional().meta({
    flag: "key-suite",
    description: "what new bound keys are; without it, what the key store prefers",
  }),
  pkcs11: pkcs11.optional().meta({
    flag: false,
    description: "a token that holds the bound key: an HSM, a smart card, a TPM 2.0",
  }),
});

export type BoundKeyFields = z.infer<typeof boundKeyFields>;

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What no single field can see. */
export function boundKeyFaults({ static_key_path, key_suite, pkcs11 }: BoundKeyFields): Fault[] {
  const faults: Fault[] = [];
  if (static_key_path !== undefined && pkcs11 !== undefined)
    faults.push({ path: ["pkcs11"], message: "stands beside static_key_path: give one of them" });
  if (static_key_path !== undefined && key_suite !== undefined)
    faults.push({ path: ["key_suite"], message: "is for new keys, and static_key_path gives one" });
  if (pkcs11 === undefined) return faults;
  const [, second] = (["pin", "pin_path", "pin_env"] as const).filter((field) => pkcs11[field]);
  const pins = ["pin", "pin_path", "pin_env"] as const;
  if (second)
    faults.push({ path: ["pkcs11", second], message: "is a second PIN: give one of them" });
  if (pins.every((field) => pkcs11[field] === undefined))
    faults.push({ path: ["pkcs11"], message: `has no PIN: give one of ${pins.join(", ")}` });
  return faults;
}
