import { PURPOSE_HEADER } from "#base/local";

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For whom or what, in the bot's log beside the calling process: `mcp/start_service`. */
  readonly purpose?: string;
}

/** As the library beneath takes them. */
export const sent = ({ signal, purpose }: CallOptions) => ({
  ...(signal === undefined ? {} : { signal }),
  ...(purpose === undefined ? {} : { headers: { [PURPOSE_HEADER]: purpose } }),
});
