// actions/bot-api: starts a bot in the background that takes orders from the job's later steps.
import type { ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/kernel";
import { BotApiClient } from "#services/bot-client";
import { readBotApiInputs, type BotApiInputs } from "./bot-api/inputs.ts";
import { launch } from "./bot-api/launch.ts";
import { makePlace, putOnPath, type Place } from "./bot-api/place.ts";
import { waitUntilReady } from "./bot-api/ready.ts";
import { runAction, type ActionRun, type Outcome } from "./run-action.ts";
import type { Workflow } from "./workflow.ts";

await runAction("bot-api", process, startBot);

async function startBot({ workflow, signal }: ActionRun): Promise<Outcome> {
  const inputs = readBotApiInputs(workflow);
  const command = commandOf(inputs);
  const place = await makePlace([workflow.env["RUNNER_TEMP"] ?? tmpdir(), tmpdir()], inputs.listen);
  workflow.saveState("directory", place.directory);
  const bot = await launch({
    inputs,
    place,
    command,
    env: workflow.env,
    cwd: workflow.env["GITHUB_WORKSPACE"] ?? process.cwd(),
    started: (pid) => workflow.saveState("pid", String(pid)),
  });
  using api = await BotApiClient.open(place.socket);
  await waitUntilReady({
    bot,
    log: place.log,
    ask: (limit) => api.statuses("", { signal: limit }),
    say: (line) => workflow.say(line),
    timeout: inputs.wait_timeout,
    clock: systemClock,
    signal,
  });
  await putOnPath(place, command);
  handOn(workflow, place, bot);
  return "done";
}

/** The one that is given, or the one beside this file, on the Node that runs this. */
function commandOf({ tbot }: BotApiInputs): readonly string[] {
  return tbot === undefined ? [process.execPath, join(import.meta.dirname, "tbot.mjs")] : [tbot];
}

/** What later steps find. */
function handOn(workflow: Workflow, { bin, socket }: Place, { pid }: ChildProcess): void {
  workflow.addPath(bin);
  workflow.setOutput("socket", socket);
  workflow.setOutput("pid", String(pid));
  workflow.exportVariable("TBOT_API_SOCKET", socket);
  workflow.say(`The bot takes orders on ${socket}`);
}
