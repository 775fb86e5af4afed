import { appNamePattern } from "#domain/resources";

export interface NamesOptions {
  readonly clusterName: string;
  /** The host under which browsers reach the proxy itself. */
  readonly publicHost: string;
  /** The application that claims another host name. */
  readonly appAt: (host: string) => string | undefined;
}

/** Which host names are applications'. */
export class Names {
  readonly #options: NamesOptions;
  readonly #domains: readonly string[];

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#domains = [...new Set([options.clusterName, options.publicHost])];
  }

  get clusterName(): string {
    return this.#options.clusterName;
  }

  /** Also names that no application has: a stranger must not learn which do. */
  appOf(serverName: string): string | undefined {
    const { publicHost, appAt } = this.#options;
    if (serverName === publicHost || this.#domains.includes(serverName)) return undefined;
    for (const domain of this.#domains) {
      if (!serverName.endsWith(`.${domain}`)) continue;
      const label = serverName.slice(0, -domain.length - 1);
      if (appNamePattern.test(label)) return label;
    }
    return appAt(serverName);
  }
}
