// The post step of actions/bot-api: ends the bot, shows its log, removes its files.
import { rm } from "node:fs/promises";
import { messageOf, systemClock } from "#base/kernel";
import { endBot } from "./bot-api/end.ts";
import { wholeOf } from "./bot-api/log.ts";
import { logIn } from "./bot-api/place.ts";
import { runAction, type ActionRun, type Outcome } from "./run-action.ts";

await runAction("bot-api", process, endOfJob);

async function endOfJob({ workflow }: ActionRun): Promise<Outcome> {
  const directory = workflow.state("directory");
  if (directory === "") return "done";
  const pid = Number(workflow.state("pid"));
  if (pid > 0) {
    const end = await endBot({ pid, mark: directory }, { clock: systemClock });
    const said = `The bot ${end}`;
    if (end === "ended") workflow.say(said);
    else workflow.annotate("warning", `${said}; its log says more`, "bot-api");
  }
  const log = await wholeOf(logIn(directory)).catch(messageOf);
  workflow.fold("The bot's log", log);
  await rm(directory, { recursive: true, force: true });
  return "done";
}
