import { badParameter, type Clock } from "#base/kernel";
import { x509Pem } from "#base/crypto";
import { isIPv6 } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import type { Grpc } from "./grpc.ts";
import { defaultRpcLimits } from "./limits.ts";
import { tlsCredentials } from "./tls-credentials.ts";
import { checkLength } from "./unix.ts";

/** Where the server is. */
export type RpcTarget =
  | { readonly host: string; readonly port: number }
  /** Path of its socket file. */
  | { readonly unix: string };

/** How a TLS target is recognised, and what this side shows; PEM text or DER bytes. */
export interface RpcTls {
  /** Certificates to trust, and no others; without them, those that Node trusts. */
  readonly ca?: readonly (string | Uint8Array)[];
  /** This side's certificate, and after it any issuers to send along; with `key`. */
  readonly cert?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** PEM. */
  readonly key?: string;
  /** The name that the server's certificate must carry, also sent as SNI; default: the host. */
  readonly serverName?: string;
}

/** The address as people write it. */
export function describe(target: RpcTarget): string {
  if ("unix" in target) return `the socket "${target.unix}"`;
  return `${isIPv6(target.host) ? `[${target.host}]` : target.host}:${target.port}`;
}

/** The target in gRPC's naming (https://github.com/grpc/grpc/blob/master/doc/naming.md). */
export function libraryTarget(target: RpcTarget): string {
  if (!("unix" in target)) return `dns:${describe(target)}`;
  checkLength(target.unix);
  return `unix:${target.unix}`;
}

/** A socket file needs no TLS; everything else has it. */
export function credentials(
  grpc: Grpc,
  { target, tls = {}, clock }: { target: RpcTarget; tls?: RpcTls | undefined; clock: Clock },
): ChannelCredentials {
  if ("unix" in target) return grpc.credentials.createInsecure();
  const serverName = tls.serverName ?? target.host;
  return tlsCredentials(grpc, { context: contextOf(tls), serverName, clock });
}

function contextOf(tls: RpcTls): SecureContext {
  try {
    return createSecureContext({
      minVersion: "TLSv1.3",
      ...(tls.ca ? { ca: tls.ca.map(pem) } : {}),
      ...(tls.cert === undefined ? {} : { cert: [tls.cert].flat().map(pem).join("") }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
    });
  } catch (cause) {
    throw badParameter("the TLS certificate, key or authority for the connection cannot be read", {
      cause,
    });
  }
}

export function channelOptions(serverName: string | undefined): ChannelOptions {
  return {
    ...(serverName === undefined ? {} : { "grpc.default_authority": serverName }),
    "grpc.max_receive_message_length": defaultRpcLimits.maxMessageBytes,
    "grpc.max_send_message_length": defaultRpcLimits.maxMessageBytes,
    // While calls are under way: a watch must notice a server that vanished.
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
    // A failed attempt is repeated by whoever made it, with its own back-off; this one stays short.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2_000,
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
    // Connections are never shared with another channel, which may have another identity.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
  };
}

const pem = (certificate: string | Uint8Array): string =>
  typeof certificate === "string" ? certificate : x509Pem(certificate);
