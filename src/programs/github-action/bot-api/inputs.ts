import { duration } from "#base/config";
import { parseJoinUri } from "#domain/join";
import * as z from "zod";
import { readInputs } from "../read-inputs.ts";
import type { Workflow } from "../workflow.ts";

const optional = (env: string) => z.string().optional().meta({ env });

/** What `actions/bot-api/action.yml` lists. What is only handed on is checked by `tbot`. */
export const botApiInputs = z.strictObject({
  proxy: optional("proxy"),
  proxy_server: optional("proxy-server"),
  token: optional("token"),
  join_method: optional("join-method"),
  join_uri: optional("join-uri"),
  ca_pin: optional("ca-pin"),
  registration_secret: optional("registration-secret"),
  config: optional("config"),
  storage: z.string().default("memory://").meta({ env: "storage" }),
  listen: z
    .string()
    .regex(/^unix:\/\/\/./, { error: "must be unix:///path" })
    .optional()
    .meta({ env: "listen" }),
  tbot: optional("tbot"),
  log_level: z.enum(["info", "debug"]).default("info").meta({ env: "log-level" }),
  wait_timeout: duration.default("60s").meta({ env: "wait-timeout" }),
});

export type BotApiInputs = z.output<typeof botApiInputs>;

export function readBotApiInputs(workflow: Workflow): BotApiInputs {
  const inputs = readInputs(workflow, botApiInputs);
  for (const secret of secretsOf(inputs)) workflow.mask(secret);
  return inputs;
}

/**
 * What must not show in the log. The token is a name that every line about joining mentions, unless
 * the join method is `token`: then it is the secret itself.
 */
function secretsOf({ token, join_method, join_uri, registration_secret }: BotApiInputs): string[] {
  const secrets = [registration_secret, ...(join_method === "token" ? [token] : [])];
  if (join_uri !== undefined) {
    const uri = parseJoinUri(join_uri);
    const secret = uri.method === "token" ? uri.token : uri.parameter;
    if (uri.method === "token" || uri.method === "bound_keypair")
      secrets.push(secret, secret && encodeURIComponent(secret));
  }
  return [...new Set(secrets.filter((secret) => secret !== undefined))];
}
