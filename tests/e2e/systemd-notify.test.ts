// What the bot tells systemd: heard on a real socket of datagrams, by perl in systemd's place.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

/** What no step takes, on the slowest machine. */
const PATIENCE_MS = 60_000;

const listener = `
use IO::Socket::UNIX; use Socket;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
$| = 1; print "listening\\n";
while (defined $socket->recv(my $message, 4096)) { print "$message\\n--\\n"; }
`;

let yard: Yard;
let cluster: RealCluster;
before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
});
after(async () => {
  await yard[Symbol.asyncDispose]();
});

/** Everything heard so far, and the bot that says it. */
async function heard(name: string, services: readonly string[]) {
  const path = yard.path(`${name}.notify`);
  const perl = spawn("perl", ["-e", listener, path], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  perl.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  await until("perl listens", () => text.includes("listening"), PATIENCE_MS);
  const words = ["start", ...services, `--storage=${yard.path(name)}`, await cluster.addBot(name)];
  const bot = yard.start("tbot", words, { env: { NOTIFY_SOCKET: path } });
  return {
    bot,
    hears: async (pattern: RegExp) =>
      await bot.until(`says ${pattern}`, () => pattern.exec(text) ?? undefined),
    text: () => text,
    [Symbol.dispose]: () => void perl.kill(),
  };
}

describe("a bot that systemd starts", needs("perl"), () => {
  test("is ready when its services are, and says when it ends", async () => {
    using systemd = await heard("well", ["identity", `--destination=${yard.path("out")}`]);
    await systemd.hears(/READY=1\nSTATUS=2 services are well\n--\n/);
    await systemd.bot.stop();
    await until("the end is heard", () => systemd.text().endsWith("STOPPING=1\n--\n"), PATIENCE_MS);
    assert.equal(systemd.text().match(/READY=1/g)?.length, 1);
  });

  test("is ready also when one of them is not well, and says which", async () => {
    const words = ["app-tunnel", "--app-name=absent", "--listen=tcp://127.0.0.1:0"];
    using systemd = await heard("unwell", words);
    await systemd.hears(/READY=1\nSTATUS=app-tunnel-1 is unhealthy: no agent serves/);
    await cluster.serve("absent", "http://127.0.0.1:9");
    await systemd.hears(/\nSTATUS=2 services are well\n/);
    await systemd.bot.stop();
  });
});
