import { accessDenied, deadline, timedOut, type Clock, type CodedError } from "#base/kernel";
import { CryptokiError } from "./cryptoki.ts";
import { NativeModule } from "./module.ts";
import { Pkcs11Session } from "./session.ts";
import type { TokenAddress } from "./slots.ts";

export interface TokenOptions extends TokenAddress {
  /** Path of the module, such as `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  readonly pin: string;
  readonly clock: Clock;
}

/** A slow TPM takes a second to sign and some to make a key; a ceremony has 30 seconds. */
const CALL_MS = 20_000;

/**
 * A token that stays usable: calls wait for each other, as the C interface wants it, and a session
 * that was lost (a token pulled out and put back) is opened again.
 */
export class Pkcs11Token implements AsyncDisposable {
  readonly #module: NativeModule;
  readonly #options: TokenOptions;
  #session: Pkcs11Session | undefined;
  /** Which session it is: handles of objects are good for one. */
  #number = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** A wrong PIN is not tried again: a token locks itself after a few. */
  #refused: CodedError | undefined;

  private constructor(module: NativeModule, options: TokenOptions) {
    this.#module = module;
    this.#options = options;
  }

  static async open(options: TokenOptions): Promise<Pkcs11Token> {
    const token = new Pkcs11Token(await NativeModule.load(options.module), options);
    await token.run(async () => {});
    return token;
  }

  get where(): string {
    const { module, tokenLabel } = this.#options;
    return tokenLabel === undefined ? `"${module}"` : `token "${tokenLabel}" of "${module}"`;
  }

  /** Runs `work` alone on the token; once more, on a new session, when it finds its session lost. */
  async run<T>(work: (session: Pkcs11Session, number: number) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#twice(work));
    this.#last = turn.catch(() => {});
    return await this.#inTime(turn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTime(this.#last);
    await this.#session?.close().catch(() => {});
    this.#session = undefined;
  }

  async #twice<T>(work: (session: Pkcs11Session, number: number) => Promise<T>): Promise<T> {
    try {
      return await this.#once(work);
    } catch (error) {
      if (!(error instanceof CryptokiError) || !error.lost) throw this.#told(error);
      await this.#session?.close().catch(() => {});
      this.#session = undefined;
    }
    return await this.#once(work).catch((error: unknown) => {
      throw this.#told(error);
    });
  }

  async #once<T>(work: (session: Pkcs11Session, number: number) => Promise<T>): Promise<T> {
    if (!this.#session) {
      this.#session = await this.#open();
      this.#number++;
    }
    return await work(this.#session, this.#number);
  }

  async #open(): Promise<Pkcs11Session> {
    if (this.#refused) throw this.#refused;
    try {
      return await Pkcs11Session.open(this.#module, this.#options, this.#options.pin);
    } catch (error) {
      if (error instanceof CryptokiError && error.call === "C_Login" && !error.lost)
        this.#refused = accessDenied(this.#told(error).message, { cause: error });
      throw error;
    }
  }

  #told(error: unknown): Error {
    if (error instanceof CryptokiError) return error.told(this.where);
    return error instanceof Error ? error : new Error(String(error));
  }

  /** The thread that a module keeps cannot be taken from it; who waits for it can be told. */
  async #inTime<T>(turn: Promise<T>): Promise<T> {
    using limit = deadline(this.#options.clock, CALL_MS);
    const { promise, reject } = Promise.withResolvers<never>();
    limit.signal.addEventListener("abort", () =>
      reject(timedOut(`${this.where} did not answer within ${CALL_MS / 1000} seconds`)),
    );
    return await Promise.race([turn, promise]);
  }
}
