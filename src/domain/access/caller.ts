import type { Caller } from "./identity.ts";

/** `user "alice"`, `bot "ci"`: how messages and events call a caller. */
export function describeCaller(caller: Caller): string {
  if (caller.kind === "anonymous") return "a caller without a certificate";
  if (caller.kind === "admin") return "the local administrator";
  if (caller.kind === "host") return `host "${caller.identity.hostId}"`;
  const { botName, user } = caller.identity;
  return botName ? `bot "${botName}"` : `user "${user}"`;
}
