// Reaches an application, with credentials that renew themselves, from a bot of this machine:
//   node examples/fetch-application.ts SOCKET APPLICATION
import { setTimeout as sleep } from "node:timers/promises";
import { BotClient, keepIdentity } from "tenon";

const [socket = "", application = "", times = "1"] = process.argv.slice(2);
using bot = await BotClient.connect(socket);
await using identity = await keepIdentity(bot, { application, ttl: "1m" });
using _renewed = identity.onRenewed(() => process.stderr.write("renewed\n"));
const dispatcher = await identity.dispatcher();

for (let left = Number(times); left > 0; left -= 1) {
  // The name leads to the application through the cluster; nothing has to resolve it.
  const response = await fetch(`http://${application}/`, { dispatcher });
  process.stdout.write(`${response.status} ${await response.text()}`);
  if (left > 1) await sleep(1_000);
}
await dispatcher.close();
