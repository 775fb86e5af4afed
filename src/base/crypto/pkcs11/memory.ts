import type koffi from "koffi";
import { badParameter } from "#base/kernel";

export type Koffi = typeof koffi;
export type Pointer = bigint | null;
/** What a template holds: bytes, CK_BBOOL, or CK_ULONG. */
export type AttributeValue = Uint8Array | boolean | number;
export type Template = readonly (readonly [attribute: number, value: AttributeValue])[];

/** Memory outside of JavaScript's, where nothing moves it; wiped and freed when disposed. */
export class NativeMemory implements Disposable {
  readonly #koffi: Koffi;
  readonly #blocks: { readonly address: bigint; readonly length: number }[] = [];

  constructor(koffi: Koffi) {
    this.#koffi = koffi;
  }

  /** `length` bytes of zero; `null`, as C wants it, for none. */
  room(length: number): Pointer {
    return length === 0 ? null : this.#block(length);
  }

  copy(bytes: Uint8Array): Pointer {
    if (bytes.length === 0) return null;
    const address = this.#block(bytes.length);
    this.#koffi.encode(address, "uint8", bytes, bytes.length);
    return address;
  }

  /** An array of CK_ULONG. */
  numbers(values: readonly (number | bigint)[]): bigint {
    const width = this.#koffi.sizeof("ulong");
    const address = this.#block(width * values.length);
    for (const [at, value] of values.entries())
      this.#koffi.encode(address, at * width, "ulong", value);
    return address;
  }

  /** A CK_ULONG that counts something, `offset` bytes from `address`. */
  readNumber(address: Pointer, offset = 0): number {
    return Number(this.#koffi.decode(address, offset, "ulong"));
  }

  /** CK_ULONGs that name something: modules put what they like into all of their 64 bits. */
  readHandles(address: Pointer, count: number): bigint[] {
    const width = this.#koffi.sizeof("ulong");
    return Array.from({ length: count }, (_, at) =>
      BigInt(this.#koffi.decode(address, at * width, "ulong") as number | bigint),
    );
  }

  read(address: Pointer, length: number): Buffer {
    if (length === 0) return Buffer.alloc(0);
    return Buffer.from(this.#koffi.decode(address, "uint8", length) as Uint8Array);
  }

  /** An array of CK_ATTRIBUTE; CK_MECHANISM has the same three members. */
  template(template: Template): bigint {
    const { ulong, pointer, size } = attributeLayout(this.#koffi);
    const address = this.#block(size * template.length);
    for (const [at, [type, value]] of template.entries()) {
      const bytes = this.#bytesOf(value);
      this.#koffi.encode(address, at * size, "ulong", type);
      this.#koffi.encode(address, at * size + ulong, "void *", this.copy(bytes));
      this.#koffi.encode(address, at * size + ulong + pointer, "ulong", bytes.length);
    }
    return address;
  }

  /** As many bytes as the module says that the first attribute of a template takes. */
  readAttributeRoom(template: bigint): Uint8Array {
    const { ulong, pointer } = attributeLayout(this.#koffi);
    return new Uint8Array(this.readNumber(template, ulong + pointer));
  }

  /** The value of the first attribute of a template, once the module has filled it. */
  readAttribute(template: bigint): Buffer {
    const { ulong, pointer } = attributeLayout(this.#koffi);
    const value = this.#koffi.decode(template, ulong, "void *") as Pointer;
    return this.read(value, this.readNumber(template, ulong + pointer));
  }

  mechanism(type: number): bigint {
    return this.template([[type, new Uint8Array()]]);
  }

  [Symbol.dispose](): void {
    for (const { address, length } of this.#blocks) {
      this.#koffi.encode(address, "uint8", new Uint8Array(length), length);
      this.#koffi.free(address);
    }
    this.#blocks.length = 0;
  }

  #bytesOf(value: AttributeValue): Uint8Array {
    if (value instanceof Uint8Array) return value;
    if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
    return this.read(this.numbers([value]), this.#koffi.sizeof("ulong"));
  }

  #block(length: number): bigint {
    const address = this.#koffi.alloc("uint8", length) as bigint;
    this.#blocks.push({ address, length });
    this.#koffi.encode(address, "uint8", new Uint8Array(length), length);
    return address;
  }
}

/** No padding between the three: all are as wide as a pointer wherever modules exist but Windows. */
function attributeLayout(koffi: Koffi): { ulong: number; pointer: number; size: number } {
  const [ulong, pointer] = [koffi.sizeof("ulong"), koffi.sizeof("void *")];
  if (ulong !== pointer) throw badParameter("PKCS#11 modules are not supported on Windows");
  return { ulong, pointer, size: 2 * ulong + pointer };
}
