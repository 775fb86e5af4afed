import type { RemoteStatus } from "#services/bot-client";

/** A status as an agent reads it. */
export const plainStatus = ({ updatedAt, ...rest }: RemoteStatus) => ({
  ...rest,
  updated_at: new Date(updatedAt).toISOString(),
});
