import { runRepeatedly, type Clock, type Logger } from "#base/kernel";
import {
  CertificateHolder,
  type CertificateSource,
  type ServerCertificate,
} from "./certificate.ts";
import { readKeyPair, type KeyPairFiles } from "./key-pair-files.ts";
import { selfSignedCertificate } from "./self-signed.ts";

/** How soon a renewed file is served; polling sees every way of replacing one, also a link's target. */
const LOOK_AT_FILES_MS = 5_000;
/** A self-signed certificate is renewed a month early: once a day is enough. */
const LOOK_AT_EXPIRY_MS = 86_400_000;

/** One warning for each broken pair, and none for one that is whole at the next look. */
const WARN_AT_FAILURE = 2;

export interface WebCertificateOptions {
  readonly dataDir: string;
  /** Given by the operator; without any, one is made for `names`. */
  readonly keyPairs: readonly KeyPairFiles[];
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * What the proxy shows to browsers and to clients of applications. Read once at the start, where a
 * bad file is an error; afterwards a bad new file is warned of, and the one before stays in use.
 */
export class WebCertificate implements CertificateSource, AsyncDisposable {
  readonly #options: WebCertificateOptions;
  readonly #holder: CertificateHolder;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #failures = 0;

  static async open(options: WebCertificateOptions): Promise<WebCertificate> {
    return new WebCertificate(options, await load(options));
  }

  private constructor(options: WebCertificateOptions, first: readonly ServerCertificate[]) {
    this.#options = options;
    this.#holder = new CertificateHolder(first);
    this.#watching = this.#watch();
  }

  current(): readonly ServerCertificate[] {
    return this.#holder.current();
  }

  onChange(changed: () => void): Disposable {
    return this.#holder.onChange(changed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  #watch(): Promise<void> {
    const { clock, random, keyPairs } = this.#options;
    const intervalMs = keyPairs.length > 0 ? LOOK_AT_FILES_MS : LOOK_AT_EXPIRY_MS;
    return runRepeatedly({
      clock,
      random,
      intervalMs,
      retry: { firstMs: LOOK_AT_FILES_MS, maxMs: intervalMs },
      signal: this.#stop.signal,
      run: () => this.#look(),
      onSuccess: () => (this.#failures = 0),
      onFailure: (error) => this.#failed(error),
    });
  }

  /** Certificate and key are two files: the first look may fall between their writing. */
  #failed(error: unknown): void {
    this.#failures += 1;
    if (this.#failures !== WARN_AT_FAILURE) return;
    const message = "the new web certificate is not usable; the old one stays";
    this.#options.logger.warn(message, { error });
  }

  async #look(): Promise<void> {
    const found = await load(this.#options);
    if (same(found, this.current())) return;
    this.#holder.replace(found);
    this.#options.logger.info("serving a new web certificate");
  }
}

const load = (options: WebCertificateOptions): Promise<readonly ServerCertificate[]> =>
  options.keyPairs.length > 0
    ? Promise.all(options.keyPairs.map(readKeyPair))
    : selfSignedCertificate(options).then((certificate) => [certificate]);

const same = (left: readonly ServerCertificate[], right: readonly ServerCertificate[]): boolean =>
  left.length === right.length &&
  left.every(({ cert, key }, index) => cert === right[index]?.cert && key === right[index].key);
