// A TLS client that shows the bot's latest certificate at each connection:
//   node examples/tls-client.ts SOCKET HOST PORT CA-FILE
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { BotClient, keepIdentity } from "tenon";

const [socket = "", host = "", port = "", file = ""] = process.argv.slice(2);
using bot = await BotClient.connect(socket);
await using identity = await keepIdentity(bot, { ttl: "1m" });
const tls = identity.tlsOptions({ ca: await readFile(file, "utf8") });

for (const greeting of ["first", "second"]) {
  const connection = connect({ ...tls, host, port: Number(port) });
  await once(connection, "secureConnect");
  connection.write(`${greeting}\n`);
  process.stdout.write(await text(connection));
}
