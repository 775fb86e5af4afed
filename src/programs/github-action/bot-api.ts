// actions/bot-api: starts a bot in the background that takes orders from the job's later steps.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/kernel";
import { BotApiClient } from "#services/bot-client";
import { readBotApiInputs, type BotApiInputs } from "./bot-api/inputs.ts";
import { launch } from "./bot-api/launch.ts";
import { makePlace, putOnPath } from "./bot-api/place.ts";
import { waitUntilReady } from "./bot-api/ready.ts";
import { runAction, type ActionRun, type Outcome } from "./run-action.ts";

await runAction("bot-api", process, startBot);

async function startBot({ workflow, signal }: ActionRun): Promise<Outcome> {
  const inputs = readBotApiInputs(workflow);
  const { env } = workflow;
  const place = await makePlace([env["RUNNER_TEMP"] ?? tmpdir(), tmpdir()], inputs.listen);
  workflow.saveState("directory", place.directory);
  const command = commandOf(inputs);
  const bot = await launch({
    inputs,
    place,
    command,
    env,
    cwd: env["GITHUB_WORKSPACE"] ?? process.cwd(),
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
  workflow.addPath(place.bin);
  workflow.setOutput("socket", place.socket);
  workflow.setOutput("pid", String(bot.pid));
  workflow.exportVariable("TBOT_API_SOCKET", place.socket);
  workflow.say(`The bot takes orders on ${place.socket}`);
  return "done";
}

/** The one that is given, or the one beside this file, on the Node that runs this. */
function commandOf({ tbot }: BotApiInputs): readonly string[] {
  return tbot === undefined ? [process.execPath, join(import.meta.dirname, "tbot.mjs")] : [tbot];
}
