import type { WatchLogsRequest } from "@tenon/api/tenon/tbot/v1/bot_api";
import { Mailbox, unavailable } from "#base/kernel";
import type { LogRing } from "#base/observe";
import type { BotControl, ControlledEvent } from "../control.ts";
import { statusProto } from "./handlers.ts";

/** What a watcher may leave unread, before it is told to begin again. */
const MAX_UNREAD = 10_000;

/** Every service as it is, then each change. */
export async function* watchServices(control: BotControl, signal: AbortSignal) {
  const box = new Mailbox<ControlledEvent>(MAX_UNREAD);
  using _watch = control.watch((event) => box.put(event));
  for (const status of control.statuses()) yield { event: "current", service: statusProto(status) };
  for await (const { event, status } of box.read(signal))
    yield { event, service: statusProto(status) };
}

/** The last lines, then, where asked, each new one. */
export async function* watchLogs(
  logs: LogRing | undefined,
  { service: name, tail, follow }: WatchLogsRequest,
  signal: AbortSignal,
) {
  if (!logs) throw unavailable("this bot keeps no log");
  const service = name === "" ? {} : { service: name };
  const box = new Mailbox<string>(MAX_UNREAD);
  using _watch = logs.watch((line) => {
    if (follow && (name === "" || line.service === name)) box.put(line.text);
  });
  for (const { text } of logs.tail({ count: tail, ...service })) yield { text };
  if (follow) for await (const text of box.read(signal)) yield { text };
}
