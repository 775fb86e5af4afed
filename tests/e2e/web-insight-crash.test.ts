// A cluster that is killed while a bot is connected to an application: what it says of that afterwards.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { systemClock } from "#base/kernel";
import { RpcChannel } from "#base/rpc";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { closedPort, echoApplication, type TestServer } from "#testing/applications";
import { Yard } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";
import { adminSocketPath } from "../../src/programs/tenon/paths.ts";

suite("a bot's connection that a crash cut", () => {
  let yard: Yard;
  let echo: TestServer;
  let cluster: RealCluster;
  let port: number;

  before(async () => {
    yard = await Yard.open();
    echo = await echoApplication();
    port = await closedPort();
    cluster = await RealCluster.start(yard);
    await cluster.serve("echo", `tcp://127.0.0.1:${echo.port}`);
  });
  after(async () => {
    await yard[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });

  const states = async (): Promise<string[]> => {
    const target = { unix: adminSocketPath(cluster.dataDir) };
    using channel = new RpcChannel({ target, clock: systemClock });
    const { sessions } = await channel.client(AuthService).listBotSessions({ bot: "robot" });
    return sessions.map(({ state }) => state);
  };
  const talk = async (): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("hello");
    await once(socket, "data", { signal: AbortSignal.timeout(2_000) });
    return socket;
  };

  test("is not open for ever: its end was not recorded, and the next one is open", async () => {
    const listen = `tcp://127.0.0.1:${port}`;
    const services = [{ type: "application-tunnel", app_name: "echo", listen }];
    const bot = await RealBot.start({ cluster, name: "robot", services });
    await bot.ready();
    await talk();
    assert.deepEqual(await states(), ["open"]);
    await until("its start is recorded", async () => {
      return (await cluster.events("--type=app.session.start")).length === 1;
    });
    await cluster.stop("SIGKILL");
    await cluster.startAgain();
    const after = await until("the administrator's socket", () => states().catch(() => undefined));
    assert.deepEqual(after, ["lost"]);
    await until("it is connected again", () => talk().catch(() => undefined), 60_000);
    assert.deepEqual(await states(), ["open", "lost"]);
  });
});
