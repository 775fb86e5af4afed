/** A certificate chain and its key as TLS takes them: PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Where a route's certificates come from; they change while the port is open. */
export interface CertificateSource {
  /** At least one; the first is for clients that name no server. */
  current(): readonly ServerCertificate[];
  /** Called after `current` changed. */
  onChange(changed: () => void): Disposable;
}

/** The bookkeeping that sources share. */
export class CertificateHolder implements CertificateSource {
  readonly #listeners = new Set<() => void>();
  #current: readonly ServerCertificate[];

  constructor(first: readonly ServerCertificate[]) {
    this.#current = first;
  }

  current(): readonly ServerCertificate[] {
    return this.#current;
  }

  replace(certificates: readonly ServerCertificate[]): void {
    this.#current = certificates;
    for (const changed of this.#listeners) changed();
  }

  onChange(changed: () => void): Disposable {
    this.#listeners.add(changed);
    return { [Symbol.dispose]: () => void this.#listeners.delete(changed) };
  }
}
