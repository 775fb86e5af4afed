import type { Clock } from "#base/kernel";
import type { ServerSessionOptions, SessionOptions, Settings } from "node:http2";
import { FIRST_WINDOWS } from "./mux-window.ts";

export interface MuxOptions {
  readonly clock: Clock;
  /** Most streams open at once, whoever opened them. */
  readonly maxStreams?: number;
  /** How long a silent peer is left alone before it is asked whether it lives. */
  readonly keepAliveMs?: number;
  /** How long it may then take to answer. */
  readonly keepAliveTimeoutMs?: number;
}

/**
 * A reader that stalls holds its stream's window in memory, 256 KiB at least, and idle streams are
 * cheap: so the cap is what a process can bear when a good part of them stall.
 */
export const MAX_STREAMS = 4_096;
/** Under the 30 to 60 s after which middleboxes forget silent connections. */
export const KEEP_ALIVE_MS = 15_000;
/** Several retransmissions on a bad line. */
export const KEEP_ALIVE_TIMEOUT_MS = 10_000;
/** A whole opening, with the far end's own dialling. */
export const OPEN_TIMEOUT_MS = 30_000;

/** Fewer frames cost less CPU on both sides; larger ones would hold up small messages. */
const MAX_FRAME_SIZE = 64 * 1024;
/** Certificates travel as headers: this many bytes of them are compressed to one each time. */
const HEADER_TABLE_SIZE = 64 * 1024;
/** A client certificate of 8 KiB in base64, and room for what else is said. */
const MAX_HEADER_LIST_SIZE = 32 * 1024;
/** MB. Streams and windows are the limits; this one would end whole sessions at 10 MB. */
const MAX_SESSION_MEMORY = 1_024;
/**
 * Node ends a session whose peer resets many streams, because strangers flood servers so. Here the
 * peer has a certificate, and thousands of its users' connections may really end at once.
 */
const MAX_RESETS = 1_000_000;

/** What both kinds of session take; Node's types know these limits at the server only. */
type Limits = SessionOptions &
  Pick<
    ServerSessionOptions,
    "streamResetBurst" | "streamResetRate" | "maxSessionInvalidFrames" | "maxSessionRejectedStreams"
  >;

export function sessionOptions(options: MuxOptions): Limits {
  const maxStreams = options.maxStreams ?? MAX_STREAMS;
  return {
    maxSessionMemory: MAX_SESSION_MEMORY,
    maxDeflateDynamicTableSize: HEADER_TABLE_SIZE,
    maxSessionInvalidFrames: MAX_RESETS,
    maxSessionRejectedStreams: MAX_RESETS,
    peerMaxConcurrentStreams: maxStreams,
    settings: firstSettings(maxStreams),
    streamResetBurst: MAX_RESETS,
    streamResetRate: MAX_RESETS,
  };
}

const firstSettings = (maxStreams: number): Settings => ({
  enablePush: false,
  headerTableSize: HEADER_TABLE_SIZE,
  initialWindowSize: FIRST_WINDOWS.stream,
  maxConcurrentStreams: maxStreams,
  maxFrameSize: MAX_FRAME_SIZE,
  maxHeaderListSize: MAX_HEADER_LIST_SIZE,
});
