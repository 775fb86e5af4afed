import { RpcChannel } from "#base/rpc";
import { x509Pem } from "#base/crypto";
import type { Clock } from "#base/kernel";
import { HOST_SERVER_NAME, type Trust } from "#domain/authority";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { JoinService } from "@tenon/api/tenon/join/v1/join";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import type { Address } from "./address.ts";

export interface ClusterClientOptions {
  readonly address: Address;
  readonly trust: Trust;
  /** PEM; absent for a stranger. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly clock: Clock;
}

/** Every service of a cluster over one connection, which only its own host authorities can answer. */
export class ClusterClient implements Disposable {
  readonly #channel: RpcChannel;
  readonly auth;
  readonly join;
  readonly resources;

  constructor({ address, trust, certificate, clock }: ClusterClientOptions) {
    this.#channel = new RpcChannel({
      target: address,
      tls: {
        ca: trust.hostX509.map((der) => x509Pem(der)),
        serverName: HOST_SERVER_NAME(trust.clusterName),
        ...certificate,
      },
      clock,
    });
    this.auth = this.#channel.client(AuthService);
    this.join = this.#channel.client(JoinService);
    this.resources = this.#channel.client(ResourceService);
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}
