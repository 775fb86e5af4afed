import { accessDenied, badParameter, unavailable, type CodedError } from "#base/kernel";

/** The few numbers of PKCS#11 that are used here (OASIS PKCS#11 3.1, appendix B: pkcs11t.h). */

/** Places in CK_FUNCTION_LIST, which every version of the interface begins with. */
export const functions = {
  C_Initialize: 0,
  C_GetSlotList: 4,
  C_GetTokenInfo: 6,
  C_GetMechanismList: 7,
  C_OpenSession: 12,
  C_CloseSession: 13,
  C_Login: 18,
  C_DestroyObject: 22,
  C_GetAttributeValue: 24,
  C_FindObjectsInit: 26,
  C_FindObjects: 27,
  C_FindObjectsFinal: 28,
  C_SignInit: 42,
  C_Sign: 43,
  C_GenerateKeyPair: 59,
} as const;

export type FunctionName = keyof typeof functions;

export const mechanisms = {
  ecKeyPairGen: 0x1040,
  ecdsa: 0x1041,
  edwardsKeyPairGen: 0x1055,
  eddsa: 0x1057,
} as const;

export const attributes = {
  class: 0x0,
  token: 0x1,
  private: 0x2,
  label: 0x3,
  keyType: 0x100,
  id: 0x102,
  sensitive: 0x103,
  sign: 0x108,
  verify: 0x10a,
  extractable: 0x162,
  ecParams: 0x180,
  ecPoint: 0x181,
} as const;

export const objectClasses = { publicKey: 2, privateKey: 3 } as const;

export const flags = {
  /** CK_C_INITIALIZE_ARGS: calls come from several threads, and the module locks by itself. */
  osLocking: 0x2,
  rwSession: 0x2,
  serialSession: 0x4,
  tokenInitialized: 0x400,
} as const;

export const CKU_USER = 1;

export const CKR_OK = 0;
export const CKR_USER_ALREADY_LOGGED_IN = 0x100;
export const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;

/** The session is gone (a token that was pulled out, a service that was restarted): open another. */
const LOST: ReadonlySet<number> = new Set([
  0x30, // CKR_DEVICE_ERROR
  0x32, // CKR_DEVICE_REMOVED
  0x60, // CKR_KEY_HANDLE_INVALID
  0x82, // CKR_OBJECT_HANDLE_INVALID
  0x90, // CKR_OPERATION_ACTIVE
  0xb0, // CKR_SESSION_CLOSED
  0xb3, // CKR_SESSION_HANDLE_INVALID
  0xe0, // CKR_TOKEN_NOT_PRESENT
  0x101, // CKR_USER_NOT_LOGGED_IN
]);

const SENTENCES: ReadonlyMap<number, readonly [make: typeof accessDenied, sentence: string]> =
  new Map([
    [0xa0, [accessDenied, "the PIN is wrong; too many wrong ones lock the token"]],
    [0xa1, [accessDenied, "the PIN holds characters that the token does not take"]],
    [0xa2, [accessDenied, "the PIN is too short or too long for the token"]],
    [0xa4, [accessDenied, "the PIN is locked after too many wrong ones"]],
    [0x102, [accessDenied, "the token has no user PIN yet; set one with the tool of its maker"]],
    [0xe2, [accessDenied, "the token is protected against writing"]],
    [0x31, [unavailable, "the token has no room left"]],
    [0x70, [badParameter, "the token does not have this mechanism"]],
    [0xe1, [unavailable, "the token is not one that the module knows"]],
  ]);

/** One answer of a module that is not CKR_OK. */
export class CryptokiError extends Error {
  override readonly name = "CryptokiError";
  readonly returned: number;
  readonly call: FunctionName;

  constructor(call: FunctionName, returned: number) {
    super(`${call} answered 0x${returned.toString(16)}`);
    this.call = call;
    this.returned = returned;
  }

  get lost(): boolean {
    return LOST.has(this.returned);
  }

  /** `where` names the module or the token. */
  told(where: string): CodedError {
    const [make, sentence] = SENTENCES.get(this.returned) ?? [unavailable, "the module failed"];
    return make(`${where}: ${sentence} (${this.message})`, { cause: this });
  }
}
