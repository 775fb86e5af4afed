import { badParameter, messageOf } from "#base/kernel";
import { CKR_OK, CryptokiError, functions, type FunctionName } from "./cryptoki.ts";
import { NativeMemory, type Koffi, type Pointer } from "./memory.ts";

type Argument = Pointer | number;
type Call = (...values: readonly Argument[]) => Promise<number>;

/** A PKCS#11 module: a shared library whose C functions run in threads, off the event loop. */
export class NativeModule {
  readonly path: string;
  readonly #koffi: Koffi;
  readonly #calls: Readonly<Record<FunctionName, Call>>;

  private constructor(path: string, koffi: Koffi, calls: Readonly<Record<FunctionName, Call>>) {
    this.path = path;
    this.#koffi = koffi;
    this.#calls = calls;
  }

  static async load(path: string): Promise<NativeModule> {
    const { default: koffi } = await import("koffi").catch((cause: unknown) => {
      throw badParameter(
        `PKCS#11 needs the package "koffi", which has no build for this machine (${messageOf(cause)})`,
        { cause },
      );
    });
    try {
      return new NativeModule(path, koffi, functionsOf(koffi, path));
    } catch (cause) {
      throw badParameter(`"${path}" is not a PKCS#11 module: ${messageOf(cause)}`, { cause });
    }
  }

  memory(): NativeMemory {
    return new NativeMemory(this.#koffi);
  }

  /** Rejects with CryptokiError unless the module answers CKR_OK. */
  async call(name: FunctionName, ...values: readonly Argument[]): Promise<void> {
    const returned = await this.#calls[name](...values);
    if (returned !== CKR_OK) throw new CryptokiError(name, returned);
  }
}

/** What each function takes: n a CK_ULONG, p a pointer. */
const SIGNATURES: Readonly<Record<FunctionName, string>> = {
  C_Initialize: "p",
  C_GetSlotList: "bpp",
  C_GetTokenInfo: "np",
  C_GetMechanismList: "npp",
  C_OpenSession: "nnppp",
  C_CloseSession: "n",
  C_Login: "nnpn",
  C_DestroyObject: "nn",
  C_GetAttributeValue: "nnpn",
  C_FindObjectsInit: "npn",
  C_FindObjects: "npnp",
  C_FindObjectsFinal: "n",
  C_SignInit: "npn",
  C_Sign: "npnpp",
  C_GenerateKeyPair: "nppnpnpp",
};
const TYPES: Readonly<Record<string, string>> = { n: "ulong", p: "void *", b: "uint8" };

/**
 * Held for as long as the process lives: a library that is collected is unloaded, and the functions
 * that its list pointed to are gone from under us.
 */
const libraries = new Map<string, ReturnType<Koffi["load"]>>();

function libraryAt(koffi: Koffi, path: string): ReturnType<Koffi["load"]> {
  const library = libraries.get(path) ?? koffi.load(path);
  libraries.set(path, library);
  return library;
}

function functionsOf(koffi: Koffi, path: string): Readonly<Record<FunctionName, Call>> {
  const library = libraryAt(koffi, path);
  const getFunctionList = library.func("C_GetFunctionList", "ulong", ["void *"]);
  using memory = new NativeMemory(koffi);
  const place = memory.numbers([0]);
  const returned: unknown = getFunctionList(place);
  if (Number(returned) !== CKR_OK) throw badParameter("C_GetFunctionList failed");
  const list = koffi.decode(place, "void *") as bigint;
  const entry = (name: FunctionName): Call => {
    const width = koffi.sizeof("void *");
    // A two-byte version comes first, padded to the width of a pointer.
    const address: unknown = koffi.decode(list, width * (1 + functions[name]), "void *");
    const types = SIGNATURES[name].split("").map((letter) => TYPES[letter]!);
    return asynchronous(koffi.decode(address, koffi.proto("ulong", types)) as Native);
  };
  return Object.fromEntries(
    (Object.keys(functions) as FunctionName[]).map((name) => [name, entry(name)]),
  ) as Readonly<Record<FunctionName, Call>>;
}

interface Native {
  readonly async: (...values: readonly unknown[]) => void;
}

const asynchronous =
  (native: Native): Call =>
  (...values) =>
    new Promise((resolve, reject) => {
      native.async(...values, (error: unknown, returned: number | bigint) =>
        error ? reject(error) : resolve(Number(returned)),
      );
    });
