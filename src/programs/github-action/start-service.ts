// actions/start-service: asks the bot of the job to start services, and waits for them.
import { durationMs } from "#base/config";
import { badParameter } from "#base/kernel";
import { BotApiClient, type RemoteStatus } from "#services/bot-client";
import { readInputs } from "./read-inputs.ts";
import { runAction, type ActionRun, type Outcome } from "./run-action.ts";
import { startServiceInputs } from "./start-service/inputs.ts";
import { isReady, statusLine } from "./status.ts";

const TITLE = "start-service";

await runAction(TITLE, process, startServices);

async function startServices({ workflow, signal }: ActionRun): Promise<Outcome> {
  const { services, skip_wait, timeout, socket } = readInputs(workflow, startServiceInputs);
  using bot = await BotApiClient.open(socket ?? lastBot(workflow.env["TBOT_API_SOCKET"]));
  const waiting = skip_wait ? { skipWait: true } : { timeoutMs: durationMs(timeout) };
  const spawned = await bot.spawn({ configuration: services, ...waiting }, { signal });
  workflow.setOutput("services", JSON.stringify(spawned.services.map(({ name }) => name)));
  for (const status of spawned.services)
    if (spawned.outcome === "started" || isReady(status)) workflow.say(statusLine(status));
    else workflow.annotate("error", faultOf(status, timeout), TITLE);
  return spawned.outcome === "started" ? "done" : "failed";
}

function lastBot(socket: string | undefined): string {
  if (socket) return socket;
  throw badParameter(
    "there is no bot: TBOT_API_SOCKET is not set; use actions/bot-api in an earlier step, or give the input socket",
  );
}

function faultOf(status: RemoteStatus, timeout: string): string {
  if (status.status === "initializing") return `${status.name} is not ready after ${timeout}`;
  return statusLine(status);
}
