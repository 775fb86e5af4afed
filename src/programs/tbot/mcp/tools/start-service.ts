import { serviceList, serviceTypes } from "#services/tbot";
import * as z from "zod";
import { listForBot } from "../../service-list.ts";
import { MAX_WAIT_SECONDS } from "../limits.ts";
import { plainStatus } from "../status.ts";
import { defineTool } from "../tool.ts";

const types = Object.entries(serviceTypes)
  .map(([type, { summary }]) => `${type} (${summary})`)
  .join("; ");

export const startService = defineTool({
  name: "start_service",
  title: "Start a service",
  description: `Starts a service in the running bot; the answer comes once it is healthy, or says why it is not. The service is written as in tbot.yaml, and relative paths begin where this server runs. What is not healthy goes on trying until stop_service ends it. Types: ${types}.`,
  input: z.strictObject({
    service: serviceList.element,
    timeout_seconds: z.int().min(1).max(MAX_WAIT_SECONDS).default(60),
    idempotency_key: z
      .string()
      .default("")
      .meta({ description: "the same key with the same service starts nothing twice" }),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
  call: async ({ service, timeout_seconds: seconds, idempotency_key: key }, { api, options }) => {
    const request = {
      configuration: listForBot([service]),
      timeoutMs: seconds * 1_000,
      idempotencyKey: key,
    };
    const { outcome, services } = await api.spawn(request, options);
    return { value: { outcome, ...plainStatus(services[0]!) }, bad: outcome !== "started" };
  },
});
