import { readResync } from "#domain/join";
import { fromItem, recoveriesKey, recoveriesLeft, type Token } from "#domain/resources";
import type { ListAlertsResponseSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthParts } from "./parts.ts";

type Response = MessageInitShape<typeof ListAlertsResponseSchema>;
type Alert = NonNullable<Response["alerts"]>[number];

/** Whoever has more tokens than this at their end needs to look at the tokens, not at a list. */
const MAX_ALERTS = 500;

/** Computed from what is stored: an alert is there exactly as long as its reason. */
export async function listAlerts(parts: AuthParts): Promise<Response> {
  const tokens = await lowTokens(parts);
  const alerts = [...(await resyncAlert(parts)), ...tokens.map(recoveriesAlert)];
  return { alerts: alerts.slice(0, MAX_ALERTS), truncated: tokens.length > MAX_ALERTS };
}

/** Those with the fewest recoveries left first. */
async function lowTokens({ store, settings }: AuthParts): Promise<readonly Token[]> {
  const { recovery_alert_threshold: threshold } = await settings();
  const { items } = await store.list({
    kind: "token",
    index: "recoveries_left",
    to: recoveriesKey(threshold),
    limit: MAX_ALERTS + 1,
  });
  return items.map((item) => fromItem(item)).filter((document) => document.kind === "token");
}

function recoveriesAlert(token: Token): Alert {
  const { name } = token.metadata;
  const { bot_name: bot, bound_keypair } = token.spec;
  const left = recoveriesLeft(token) ?? 0;
  const limit = bound_keypair?.recovery.limit ?? 0;
  const whose = bot === undefined ? "" : ` of bot "${bot}"`;
  return {
    type: "recoveries_low",
    severity: "warning",
    subject: `token/${name}`,
    message: `token "${name}"${whose} has ${left} of ${limit} recoveries left; to allow more: tctl tokens update ${name} --recovery-limit ${limit + 1}`,
  };
}

async function resyncAlert(parts: AuthParts): Promise<readonly Alert[]> {
  const window = await readResync(parts);
  if (!window) return [];
  const until = new Date(window.until).toISOString();
  return [
    {
      type: "resync_window",
      severity: "info",
      subject: "cluster",
      message: `until ${until} a token may be moved forward, once, to what its machine proves; to end that: tctl cluster restored --end`,
    },
  ];
}
