import * as z from "zod";
import { defineTool } from "../tool.ts";
import { plainStatus } from "../status.ts";

export const listServices = defineTool({
  name: "list_services",
  title: "List services",
  description:
    "Every service that the bot runs now, with its status (initializing, healthy, unhealthy, exited, failed) and, where it is not well, the reason.",
  input: z.strictObject({}),
  annotations: { readOnlyHint: true, openWorldHint: false },
  call: async (_input, { api, options }) => ({
    value: { services: (await api.statuses("", options)).map(plainStatus) },
  }),
});
