import * as z from "zod";
import { defineTool } from "../tool.ts";

export const stopService = defineTool({
  name: "stop_service",
  title: "Stop a service",
  description:
    "Ends a service of the running bot, after what it has in flight, and forgets it. Connections through it end.",
  input: z.strictObject({
    name: z.string().min(1).meta({ description: "as list_services names it" }),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
  call: async ({ name }, { api, options }) => {
    await api.stop(name, options);
    return { value: { stopped: name } };
  },
});
