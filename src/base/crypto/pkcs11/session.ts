import {
  CKR_CRYPTOKI_ALREADY_INITIALIZED,
  CKR_USER_ALREADY_LOGGED_IN,
  CKU_USER,
  CryptokiError,
  flags,
} from "./cryptoki.ts";
import type { Template } from "./memory.ts";
import type { NativeModule } from "./module.ts";
import { findSlot, type TokenAddress } from "./slots.ts";

/** An object of a token, good for as long as the session. */
export type ObjectHandle = bigint;

/** A P-256 or Ed25519 signature has 64. */
const MAX_SIGNATURE = 512;
/** Handles asked for at a time. */
const FIND_MANY = 64;

/** An open, logged-in session: the calls of C with JavaScript's values. One call at a time. */
export class Pkcs11Session {
  readonly #module: NativeModule;
  readonly #slot: bigint;
  readonly #session: bigint;

  private constructor(module: NativeModule, slot: bigint, session: bigint) {
    this.#module = module;
    this.#slot = slot;
    this.#session = session;
  }

  static async open(
    module: NativeModule,
    address: TokenAddress,
    pin: string,
  ): Promise<Pkcs11Session> {
    await initialize(module);
    const slot = await findSlot(module, address);
    using memory = module.memory();
    const handle = memory.numbers([0]);
    const mode = flags.serialSession | flags.rwSession;
    await module.call("C_OpenSession", slot, mode, null, null, handle);
    const session = new Pkcs11Session(module, slot, memory.readHandles(handle, 1)[0]!);
    await session.#login(pin);
    return session;
  }

  async mechanisms(): Promise<ReadonlySet<number>> {
    using memory = this.#module.memory();
    const count = memory.numbers([0]);
    await this.#module.call("C_GetMechanismList", this.#slot, null, count);
    const list = memory.numbers(Array.from({ length: memory.readNumber(count) }, () => 0));
    await this.#module.call("C_GetMechanismList", this.#slot, list, count);
    return new Set(memory.readHandles(list, memory.readNumber(count)).map(Number));
  }

  async find(template: Template): Promise<ObjectHandle[]> {
    using memory = this.#module.memory();
    const wanted = memory.template(template);
    await this.#module.call("C_FindObjectsInit", this.#session, wanted, template.length);
    try {
      return await this.#found();
    } finally {
      await this.#module.call("C_FindObjectsFinal", this.#session);
    }
  }

  /** `undefined` for an attribute that the object does not have, or does not show. */
  async attribute(object: ObjectHandle, type: number): Promise<Buffer | undefined> {
    using memory = this.#module.memory();
    const query = memory.template([[type, new Uint8Array()]]);
    try {
      await this.#module.call("C_GetAttributeValue", this.#session, object, query, 1);
      const filled = memory.template([[type, memory.readAttributeRoom(query)]]);
      await this.#module.call("C_GetAttributeValue", this.#session, object, filled, 1);
      return memory.readAttribute(filled);
    } catch (error) {
      if (error instanceof CryptokiError && ABSENT.has(error.returned)) return undefined;
      throw error;
    }
  }

  async generateKeyPair(
    mechanism: number,
    templates: { readonly publicKey: Template; readonly privateKey: Template },
  ): Promise<{ publicKey: ObjectHandle; privateKey: ObjectHandle }> {
    const { publicKey, privateKey } = templates;
    using memory = this.#module.memory();
    const [made, secret] = [memory.numbers([0]), memory.numbers([0])];
    await this.#module.call(
      "C_GenerateKeyPair",
      this.#session,
      memory.mechanism(mechanism),
      memory.template(publicKey),
      publicKey.length,
      memory.template(privateKey),
      privateKey.length,
      made,
      secret,
    );
    const [publicHandle, privateHandle] = [made, secret].map((at) => memory.readHandles(at, 1)[0]!);
    return { publicKey: publicHandle!, privateKey: privateHandle! };
  }

  async sign(mechanism: number, key: ObjectHandle, data: Uint8Array): Promise<Buffer> {
    using memory = this.#module.memory();
    const [signature, length] = [memory.room(MAX_SIGNATURE), memory.numbers([MAX_SIGNATURE])];
    await this.#module.call("C_SignInit", this.#session, memory.mechanism(mechanism), key);
    const input = memory.copy(data);
    await this.#module.call("C_Sign", this.#session, input, data.length, signature, length);
    return memory.read(signature, memory.readNumber(length));
  }

  async destroy(object: ObjectHandle): Promise<void> {
    await this.#module.call("C_DestroyObject", this.#session, object);
  }

  async close(): Promise<void> {
    await this.#module.call("C_CloseSession", this.#session);
  }

  async #login(pin: string): Promise<void> {
    using memory = this.#module.memory();
    const bytes = Buffer.from(pin);
    try {
      await this.#module.call("C_Login", this.#session, CKU_USER, memory.copy(bytes), bytes.length);
    } catch (error) {
      if (!answered(error, CKR_USER_ALREADY_LOGGED_IN)) throw error;
    } finally {
      bytes.fill(0);
    }
  }

  async #found(): Promise<ObjectHandle[]> {
    const handles: ObjectHandle[] = [];
    for (;;) {
      using memory = this.#module.memory();
      const list = memory.numbers(Array.from({ length: FIND_MANY }, () => 0));
      const count = memory.numbers([0]);
      await this.#module.call("C_FindObjects", this.#session, list, FIND_MANY, count);
      const found = memory.readHandles(list, memory.readNumber(count));
      if (found.length === 0) return handles;
      handles.push(...found);
    }
  }
}

/** CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID. */
const ABSENT: ReadonlySet<number> = new Set([0x11, 0x12]);

const answered = (error: unknown, returned: number): boolean =>
  error instanceof CryptokiError && error.returned === returned;

/** Once for a process, whoever else uses the module; `koffi` calls it from several threads. */
async function initialize(module: NativeModule): Promise<void> {
  using memory = module.memory();
  try {
    await module.call("C_Initialize", memory.numbers([0, 0, 0, 0, flags.osLocking, 0]));
  } catch (error) {
    if (!answered(error, CKR_CRYPTOKI_ALREADY_INITIALIZED)) throw error;
  }
}
