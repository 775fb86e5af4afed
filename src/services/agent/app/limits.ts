/** An application that does not take a connection within this is as good as down. */
export const UPSTREAM_CONNECT_MS = 10_000;

/** Header fields of one message, both ways: room for large cookies and tokens. */
export const HTTP_HEADER_BYTES = 32_768;

/** Until a request's headers are complete. There is no limit on a body: uploads may be slow. */
export const HTTP_HEADERS_MS = 60_000;

/** An idle connection is kept this long: longer than clients keep theirs, so that they close first. */
export const HTTP_KEEP_ALIVE_MS = 300_000;
