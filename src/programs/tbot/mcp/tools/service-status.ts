import { deadline, systemClock } from "#base/kernel";
import type { BotApiClient } from "#services/bot-client";
import * as z from "zod";
import { MAX_WAIT_SECONDS } from "../limits.ts";
import { plainStatus } from "../status.ts";
import { defineTool, type ToolCall } from "../tool.ts";

export const serviceStatus = defineTool({
  name: "service_status",
  title: "Status of one service",
  description:
    "How one service is. With wait_seconds the answer comes once it is healthy or has ended, at the latest after that time.",
  input: z.strictObject({
    name: z.string().min(1).meta({ description: "as list_services names it" }),
    wait_seconds: z.int().min(0).max(MAX_WAIT_SECONDS).default(0),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  call: async ({ name, wait_seconds: seconds }, { api, options }) => {
    const [status] = await api.statuses(name, options);
    if (seconds === 0 || isSettled(status!.status)) return { value: plainStatus(status!) };
    await untilSettled(api, { name, ms: seconds * 1_000, options });
    const [later] = await api.statuses(name, options);
    return { value: plainStatus(later!) };
  },
});

const isSettled = (status: string): boolean => ["healthy", "exited", "failed"].includes(status);

async function untilSettled(
  api: BotApiClient,
  { name, ms, options }: { name: string; ms: number; options: ToolCall["options"] },
): Promise<void> {
  using limit = deadline(systemClock, ms, options.signal);
  try {
    for await (const { service } of api.watch({ ...options, signal: limit.signal }))
      if (service.name === name && isSettled(service.status)) return;
  } catch (error) {
    if (!limit.signal.aborted) throw error;
  }
}
