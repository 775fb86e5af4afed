import { badParameter, type Clock, type Logger } from "#base/kernel";
import { LockSet } from "#domain/access";
import { parseAddress } from "#services/enrolment";
import { LiveConnections, RouteClient, tlsCredentials } from "#services/tunnel";
import type { Socket } from "node:net";
import { callbackify } from "node:util";
import { Agent, buildConnector, Dispatcher } from "undici";
import { contextOf, type KeptIdentity, type TrustOptions } from "./kept-identity.ts";

const DEFAULT_PROXY_PORT = 3080;

export interface KeptDispatcherOptions extends TrustOptions {
  readonly kept: KeptIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Hands each request to connections that were made with the latest certificate. */
export class KeptDispatcher extends Dispatcher {
  readonly #options: KeptDispatcherOptions;
  readonly #live: LiveConnections;
  readonly #route: RouteClient;
  readonly #renewed: Disposable;
  #agent: Agent;

  constructor(options: KeptDispatcherOptions) {
    super();
    const { kept, clock, logger } = options;
    this.#options = options;
    this.#live = new LiveConnections({ clock, locks: new LockSet() });
    this.#route = new RouteClient({
      address: () => parseAddress(kept.current.proxyAddress, DEFAULT_PROXY_PORT),
      credentials: () => tlsCredentials(kept.current),
      clock,
      logger,
      live: this.#live,
    });
    this.#agent = this.#newAgent();
    this.#renewed = kept.onRenewed(() => this.#renew());
  }

  override dispatch(options: Agent.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#agent.dispatch(options, handler);
  }

  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | void {
    const close = (): Promise<void> => this.#end(this.#agent.close());
    return callback === undefined ? close() : callbackify(close)(callback);
  }

  override destroy(error?: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(
    error?: Error | null | (() => void),
    callback?: () => void,
  ): Promise<void> | void {
    const given = typeof error === "function" ? error : callback;
    const reason = typeof error === "function" ? null : (error ?? null);
    const destroy = (): Promise<void> => this.#end(this.#agent.destroy(reason));
    return given === undefined ? destroy() : callbackify(destroy)(given);
  }

  async #end(agent: Promise<void>): Promise<void> {
    this.#renewed[Symbol.dispose]();
    await agent;
    await this.#route[Symbol.asyncDispose]();
    this.#live[Symbol.dispose]();
  }

  /** Requests under way end on the connections of the agent before. */
  #renew(): void {
    void this.#agent.close().catch(() => {});
    this.#agent = this.#newAgent();
    this.#route.renew();
  }

  /** Its sessions are its own: none of an older certificate is resumed. */
  #newAgent(): Agent {
    const { kept, ca } = this.#options;
    let secure: ReturnType<typeof buildConnector> | undefined;
    const connect: ReturnType<typeof buildConnector> = (options, callback) => {
      try {
        if (options.protocol === "https:") {
          secure ??= buildConnector({ secureContext: contextOf(kept.current, ca) });
          secure(options, callback);
        } else void this.#connectRoute(callback);
      } catch (error) {
        callback(error as Error, null);
      }
    };
    return new Agent({ connect });
  }

  async #connectRoute(callback: buildConnector.Callback): Promise<void> {
    try {
      if (this.#options.kept.request.application === undefined)
        throw badParameter(
          "an http: address leads to an application, and the certificate is for none; ask for one with application, or use https:",
        );
      // A stream of the proxy's session does what undici wants of a socket.
      callback(null, (await this.#route.connect()) as Socket);
    } catch (error) {
      callback(error as Error, null);
    }
  }
}
