import type { HandlerContext } from "@connectrpc/connect";
import type { LogFields } from "#base/kernel";
import { peerOf, purposeOf } from "#base/local";

/** Who calls, for the log: the process, and what it says that the call is for. */
export function callerOf(context: HandlerContext): LogFields {
  const { uid, pid, executable } = peerOf(context);
  const purpose = purposeOf(context.requestHeader);
  return { uid, pid, executable, ...(purpose === undefined ? {} : { purpose }) };
}
