import type { Socket } from "node:net";
import { generateKeyPair } from "#base/crypto";
import { durationMs } from "#base/config";
import { Bell, codeOf, messageOf, runRepeatedly, unavailable, type Backoff } from "#base/kernel";
import { cut, pipeDuplex, type PipeCounts } from "#base/wire";
import { RouteClient, tlsCredentials, type TlsCredentials } from "#services/tunnel";
import { Aspects } from "./aspects.ts";
import type { OutputCredentials } from "#services/bot-client";
import { openListener, type LocalListener } from "./listen.ts";
import { renew } from "./renewal.ts";
import { lockTargets } from "./route-credentials.ts";
import type { NamedConfiguration, ServiceDependencies } from "./service-type.ts";
import type { Report } from "./supervisor.ts";

/** Connections that are open when the service stops have this long to end. */
const DRAIN_MS = 5_000;
/** A session that was lost is noticed this soon, also when nobody uses it, and opened again. */
const LOOK_AT_SESSION_MS = 2_000;
const RECONNECT: Backoff = { firstMs: 500, maxMs: 10_000 };

export interface TunnelOptions {
  readonly configuration: NamedConfiguration & {
    readonly app_name: string;
    readonly listen: string;
    readonly roles: readonly string[];
    readonly credential_ttl?: string | undefined;
    readonly renewal_interval?: string | undefined;
  };
  readonly dependencies: ServiceDependencies;
}

interface Run {
  readonly signal: AbortSignal;
  readonly report: Report;
}

/**
 * A local listener whose connections go to one application, each a stream on a session with the
 * proxy. Healthy while the port is open, a fresh certificate is there, and the session stands.
 */
export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #key = generateKeyPair("ecdsa-p256");
  readonly #route: RouteClient;
  readonly #renewed = new Bell();
  #credentials: OutputCredentials | undefined;
  #listener: LocalListener | undefined;

  constructor(options: TunnelOptions) {
    this.#options = options;
    const { identity, clock, log, live } = options.dependencies;
    this.#route = new RouteClient({
      address: () => identity.address,
      credentials: () => this.#proof(),
      clock,
      logger: log,
      live,
      targets: () => (this.#credentials ? lockTargets(this.#credentials) : []),
    });
  }

  async run({ signal, report }: Run): Promise<void> {
    const aspects = new Aspects(["certificate", "session"], report);
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    await using route = this.#route;
    try {
      await Promise.all([
        this.#keepCertificate({ signal, report: aspects.of("certificate") }).finally(() =>
          stop.abort(),
        ),
        this.#keepSession({ signal: either, report: aspects.of("session") }),
      ]);
    } finally {
      this.#listener?.[Symbol.dispose]();
    }
    await route.drain(DRAIN_MS);
  }

  #keepCertificate({ signal, report }: Run): Promise<void> {
    const { identity } = this.#options.dependencies;
    return renew({
      ...this.#options,
      signal,
      report,
      task: "renew",
      prepare: () => this.#listen(),
      run: async () => {
        const credentials = await identity.issue(this.#request(), signal);
        this.#credentials = credentials;
        this.#route.renew();
        this.#renewed.ring();
        return credentials.expires;
      },
    });
  }

  #keepSession({ signal, report }: Run): Promise<void> {
    const { dependencies } = this.#options;
    let lost = false;
    return runRepeatedly({
      ...dependencies,
      signal,
      bell: this.#renewed,
      retry: RECONNECT,
      intervalMs: LOOK_AT_SESSION_MS,
      run: async () => {
        if (this.#credentials) await this.#route.ready(signal);
      },
      onSuccess: () => {
        if (this.#credentials) report("healthy");
        lost = false;
      },
      onFailure: (error) => {
        if (!lost) dependencies.log.warn("no session with the proxy, will try again", { error });
        lost = true;
        report("unhealthy", messageOf(error));
      },
    });
  }

  async #listen(): Promise<void> {
    const { configuration, dependencies } = this.#options;
    if (this.#listener) return;
    this.#listener = await openListener(configuration.listen, (socket) => void this.#carry(socket));
    const { address } = this.#listener;
    dependencies.log.info("listening", { address, app: configuration.app_name });
  }

  #request() {
    const { configuration, dependencies } = this.#options;
    const { app_name: appName, roles, credential_ttl: ttl } = configuration;
    const ttlMs = ttl === undefined ? dependencies.defaults.credentialTtlMs : durationMs(ttl);
    return { key: this.#key, appName, roles, ttlMs, allowReissue: false, ssh: false };
  }

  /** The proxy may have been certified anew since: what the bot trusts now counts. */
  #proof(): TlsCredentials {
    const { trust } = this.#options.dependencies.identity;
    if (this.#credentials) return tlsCredentials({ ...this.#credentials, trust });
    throw unavailable("the bot has no certificate for this application yet");
  }

  /** One connection from its accept to its end. A refusal is logged; the program sees a reset. */
  async #carry(socket: Socket): Promise<void> {
    const { configuration, dependencies } = this.#options;
    const { tunnels, log } = dependencies;
    const counts: PipeCounts = { aToB: 0, bToA: 0 };
    socket.on("error", () => {});
    tunnels.opened(configuration.name);
    try {
      const piped = pipeDuplex(socket, await this.#route.connect({ early: true }), counts);
      socket.resume();
      await piped;
    } catch (error) {
      cut(socket, error instanceof Error ? error : new Error(messageOf(error)));
      log.warn("connection ended early", { error, code: codeOf(error) });
    } finally {
      tunnels.closed(configuration.name, { up: counts.aToB, down: counts.bToA });
    }
  }
}
