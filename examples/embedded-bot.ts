// A bot within the program itself, and an application reached with its credentials:
//   TBOT_JOIN_URI='tbot+proxy+…' node examples/embedded-bot.ts APPLICATION
import { Bot, keepIdentity } from "tenon";

const [application = ""] = process.argv.slice(2);
const joinUri = process.env["TBOT_JOIN_URI"] ?? "";
await using bot = await Bot.start({ joinUri });
await bot.ready();

await using identity = await keepIdentity(bot, { application });
const dispatcher = await identity.dispatcher();
const response = await fetch(`http://${application}/`, { dispatcher });
process.stdout.write(`${response.status} ${await response.text()}`);
await dispatcher.close();
