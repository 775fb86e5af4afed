/** An agent waits for its answer, and its own patience is seldom longer. */
export const MAX_WAIT_SECONDS = 300;
/** More would fill what the agent can hold; it can ask for fewer by labels. */
export const MAX_RESULTS = 500;
/** Lines of the log in one answer. */
export const LOG_LINES = 200;
/** What one message from the client may take. */
export const MAX_MESSAGE_BYTES = 1 << 20;
