/** What the port allows a stranger; tests make them small. */
export interface PortLimits {
  /** The whole ClientHello must have come by then; a client on a bad line needs a few round trips. */
  readonly helloMs: number;
  /** A hybrid ClientHello takes 1.8 KB; with a ticket that holds a certificate, 4 KB. */
  readonly helloBytes: number;
  /** From the hello to the end of the handshake. */
  readonly handshakeMs: number;
  /** Hellos and handshakes under way at once: at 0.8 ms of CPU each, a second of work. */
  readonly handshakes: number;
  /** Connections of one address without a verified certificate; a fleet behind one address fits. */
  readonly perAddress: number;
}

export const portLimits: PortLimits = {
  helloMs: 10_000,
  helloBytes: 16_384,
  handshakeMs: 10_000,
  handshakes: 1_024,
  perAddress: 512,
};

/** Of one HTTP request on the port, its line and headers together; Node's own default, said aloud. */
export const MAX_HEADER_BYTES = 16_384;

/** A browser sends about 20 header fields; more than this is not a client of ours. */
export const MAX_HEADER_COUNT = 100;

/** Until the headers of a web request are complete; a slow reader gets no more. */
export const WEB_HEADERS_MS = 10_000;

/** Until a web request is complete with its body; nothing that the web serves needs a long one. */
export const WEB_REQUEST_MS = 30_000;

/** How long a finished web connection is kept for the next request. */
export const WEB_KEEP_ALIVE_MS = 15_000;
