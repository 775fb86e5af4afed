/**
 * What one RPC server allows; every refusal is `limit_exceeded`, `timed_out` or a closed connection.
 * Headers are bounded by Node itself: 64 KiB and 128 fields for a call, which is then reset.
 */
export interface RpcLimits {
  /** One message from a caller that the TLS layer knows, or that is local. */
  readonly maxMessageBytes: number;
  /** One message from a stranger: a join's largest message has a few kilobytes. */
  readonly maxStrangerMessageBytes: number;
  /** Calls at the same time on one connection of a known caller. */
  readonly maxStreams: number;
  /** The same for a stranger, who has only join, ping and trust to call. */
  readonly maxStrangerStreams: number;
  /** Connections at the same time, each about 70 KB of memory. */
  readonly maxConnections: number;
  /** Of these, how many strangers' connections. */
  readonly maxStrangerConnections: number;
  /** A connection that made no call within this time is closed. */
  readonly firstCallMs: number;
  /** A connection without a call for this long is closed. */
  readonly idleMs: number;
  /** The same for a stranger's. */
  readonly strangerIdleMs: number;
  /** From the headers to the answer of a unary call, and to the whole request of a streaming one. */
  readonly unaryDeadlineMs: number;
  /** A connection that is silent this long is asked whether it lives … */
  readonly keepaliveMs: number;
  /** … and is closed when no answer comes within this time. */
  readonly keepaliveTimeoutMs: number;
}

export const defaultRpcLimits: RpcLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxStrangerMessageBytes: 64 * 1024,
  maxStreams: 200,
  maxStrangerStreams: 16,
  maxConnections: 20_000,
  maxStrangerConnections: 2_000,
  firstCallMs: 15_000,
  idleMs: 10 * 60_000,
  strangerIdleMs: 60_000,
  unaryDeadlineMs: 30_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 15_000,
};

/** Of an error's sentence: trailers share 64 KiB with everything else, so a list of faults is cut. */
export const MAX_ERROR_MESSAGE_CHARS = 8_192;
/** `sun_path` of Linux holds 108 bytes with the closing NUL; a longer path would be cut silently. */
export const MAX_UNIX_PATH_BYTES = 107;
