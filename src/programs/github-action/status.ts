import type { RemoteStatus } from "#services/bot-client";

type Shown = Pick<RemoteStatus, "name" | "status" | "reason">;

export const isReady = ({ status }: Shown): boolean => status === "healthy" || status === "exited";

export const statusLine = ({ name, status, reason }: Shown): string =>
  [`${name} is ${status}`, reason].filter(Boolean).join(": ");
