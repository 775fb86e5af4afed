import { duration } from "#base/config";
import * as z from "zod";

/** What `actions/start-service/action.yml` lists. The bot itself checks the services. */
export const startServiceInputs = z.strictObject({
  services: z.string({ error: "must be a YAML list of services" }).meta({ env: "services" }),
  skip_wait: z.boolean().default(false).meta({ env: "skip_wait" }),
  timeout: duration.default("60s").meta({ env: "timeout" }),
  socket: z.string().optional().meta({ env: "socket" }),
});
