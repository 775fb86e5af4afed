import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { BotApiService } from "@tenon/api/tenon/tbot/v1/bot_api";
import type { Logger } from "#base/kernel";
import { callerOf } from "../local-caller.ts";

type Handlers = ServiceImpl<typeof BotApiService>;
type Handler = (request: never, context: HandlerContext) => unknown;

/**
 * The handlers, with a line in the log for each call before it is answered: whoever gives a purpose
 * acts for somebody else, and is always recorded.
 */
export function recorded(handlers: Handlers, log: Logger): Handlers {
  const wrapped = Object.entries(handlers).map(([call, handler]) => {
    const act = handler as Handler;
    const record: Handler = (request, context) => {
      const caller = callerOf(context);
      log[caller["purpose"] === undefined ? "debug" : "info"]("called", { call, ...caller });
      return act(request, context);
    };
    return [call, record] as const;
  });
  // The same names, and functions of the same kinds.
  return Object.fromEntries(wrapped) as unknown as Handlers;
}
