import {
  Bell,
  messageOf,
  runRepeatedly,
  unavailable,
  type Backoff,
  type Clock,
} from "#base/kernel";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  pemOf,
  type CredentialSource,
  type GeneratedIdentity,
  type IdentityRequest,
} from "./credentials.ts";

const RETRY: Backoff = { firstMs: 1_000, maxMs: 30_000 };
/** However short-lived the certificates are. */
const RENEW_AT_MOST_EVERY_MS = 1_000;

export interface KeptIdentityOptions {
  readonly source: CredentialSource;
  readonly request: IdentityRequest;
  readonly clock: Clock;
  readonly random: () => number;
}

/** As Node's own types know it, of another version of undici. */
export type FetchDispatcher = NonNullable<RequestInit["dispatcher"]>;

export interface TrustOptions {
  /** PEM of whom to trust, instead of what Node trusts. */
  readonly ca?: string | readonly string[];
}

/**
 * An identity that is asked for again at half of its life and at each rotation, until it is disposed.
 * What there is stays in use while a renewal fails.
 */
export class KeptIdentity implements AsyncDisposable {
  readonly #options: KeptIdentityOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #bell = new Bell();
  #current: GeneratedIdentity;
  #failure: unknown;
  #keeping: Promise<void> | undefined;

  private constructor(options: KeptIdentityOptions, first: GeneratedIdentity) {
    this.#options = options;
    this.#current = first;
  }

  /** Asks once, and fails when that does; later failures are logged, and tried again. */
  static async open(options: KeptIdentityOptions): Promise<KeptIdentity> {
    const { source, request } = options;
    await using owned = new AsyncDisposableStack();
    let rotated = (): void => {};
    owned.use(await source.listenForRotation(() => rotated()));
    const kept = new KeptIdentity(options, await source.generateIdentity(request));
    rotated = () => kept.#bell.ring();
    const listening = owned.move();
    kept.#keeping = kept.#keep(listening);
    return kept;
  }

  /** The latest; throws `unavailable`, with the reason, when it has ended and there is no other. */
  get current(): GeneratedIdentity {
    const { expires } = this.#current;
    if (expires > this.#options.clock.now()) return this.#current;
    const end = new Date(expires).toISOString();
    throw unavailable(
      `the certificate ended at ${end} and could not be renewed: ${messageOf(this.#failure)}`,
      { cause: this.#failure },
    );
  }

  /** What opens an application or a database, if the certificate is for one. */
  get request(): IdentityRequest {
    return this.#options.request;
  }

  onRenewed(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /**
   * Options for `tls.connect`, `https.request` and the like: spread them at each connection
   * (`{ ...options, host, port }`), and each has the latest certificate.
   */
  tlsOptions({ ca }: TrustOptions = {}): { readonly secureContext: SecureContext } {
    let made: { of: GeneratedIdentity; context: SecureContext } | undefined;
    const latest = (): SecureContext => {
      const of = this.current;
      if (made?.of !== of) made = { of, context: contextOf(of, ca) };
      return made.context;
    };
    return {
      get secureContext() {
        return latest();
      },
    };
  }

  /**
   * For `fetch(url, { dispatcher })` and undici. Connections to `https:` addresses show the latest
   * certificate. With a certificate for an application, `http:` addresses of any name lead to that
   * application through the cluster's proxy: without its name in the DNS, and with no other trust
   * than the cluster's own. A renewal lets requests under way end on the connections that they have.
   */
  async dispatcher(options: TrustOptions = {}): Promise<FetchDispatcher> {
    const { KeptDispatcher } = await import("./dispatcher.ts");
    const { clock, source } = this.#options;
    const parts = { kept: this, clock, logger: source.logger };
    return new KeptDispatcher({ ...parts, ...options }) as unknown as FetchDispatcher;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#keeping;
  }

  async #keep(owned: AsyncDisposable): Promise<void> {
    await using _listening = owned;
    const { source, request, clock } = this.#options;
    let fresh = true;
    await runRepeatedly({
      ...this.#options,
      signal: this.#stop.signal,
      bell: this.#bell,
      retry: RETRY,
      intervalMs: () => Math.max(RENEW_AT_MOST_EVERY_MS, (this.#current.expires - clock.now()) / 2),
      run: async (signal) => {
        if (!fresh) this.#replace(await source.generateIdentity({ ...request, signal }));
        fresh = false;
      },
      onFailure: (error, delayMs) => {
        this.#failure = error;
        const retryMs = Math.round(delayMs);
        source.logger.warn("cannot renew credentials, will try again", { error, retryMs });
      },
    });
  }

  #replace(identity: GeneratedIdentity): void {
    this.#current = identity;
    for (const listener of this.#listeners) listener();
  }
}

export const contextOf = (identity: GeneratedIdentity, ca: TrustOptions["ca"]): SecureContext =>
  createSecureContext({
    ...pemOf(identity),
    ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
  });
