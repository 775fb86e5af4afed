/** What one local server allows; what goes beyond is refused, or its connection closed. */
export interface LocalLimits {
  /** One message, in or out. */
  readonly maxMessageBytes: number;
  /** Connections at the same time; one more is closed at once. */
  readonly maxConnections: number;
  /** Calls at the same time on one HTTP/2 connection. */
  readonly maxStreams: number;
  /** From the connection to the first call's headers. */
  readonly headerMs: number;
  /** From a call's headers to the end of its request. */
  readonly requestMs: number;
  /** A connection without a call for this long is closed. */
  readonly idleMs: number;
  /** What calls under way get, after they were told, when the server stops. */
  readonly graceMs: number;
}

export const defaultLocalLimits: LocalLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxConnections: 512,
  maxStreams: 64,
  headerMs: 10_000,
  requestMs: 30_000,
  idleMs: 10 * 60_000,
  graceMs: 5_000,
};

/** Under the server's, so that a client does not call on a connection that is about to close. */
export const CLIENT_IDLE_MS = 60_000;

/** Of an error over gRPC: trailers share 64 KiB with the sentence, and details are text there. */
export const MAX_TRAILER_DETAIL_BYTES = 32 * 1024;
