// RFD 0217, "User stories": each by a person in a real browser, with a real bot behind the page.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, suite, test } from "node:test";
import { closedPort, echoApplication, type TestServer } from "#testing/applications";
import { TestBot } from "#testing/bot";
import { Browser } from "#testing/browser";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { until } from "#testing/wait";
import { WebTab } from "#testing/web-tab";

/** An error before it is one way to be closed. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once("close", () => resolve()));

suite("the page of a bot", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let echo: TestServer;
  let bot: TestBot;
  let person: WebTab;
  let port = 0;

  before(async () => {
    cluster = await startCluster({ publicAddr: "localhost", name: "tenon.localhost" });
    echo = await echoApplication();
    await cluster.role("echo-access", { team: ["platform"] });
    const uri = `tcp://127.0.0.1:${echo.port}`;
    await cluster.serve([{ name: "echo", uri, labels: { team: "platform" } }]);
    port = await closedPort();
    const listen = `tcp://127.0.0.1:${port}`;
    bot = await TestBot.start({
      cluster,
      name: "robot",
      roles: ["echo-access"],
      host: { hostname: "build-7" },
      services: [{ type: "application-tunnel", name: "echo-tunnel", app_name: "echo", listen }],
    });
    await bot.healthy("echo-tunnel");
    browser = await Browser.open();
    person = await WebTab.enter(browser, cluster);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await bot[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });

  /** A connection through the tunnel that was answered; nothing when it was cut instead. */
  const talk = async (): Promise<Socket | undefined> => {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    const answered = new Promise<boolean>((resolve) => socket.once("data", () => resolve(true)));
    socket.write("hello");
    const open = await Promise.race([answered, closed(socket).then(() => false)]);
    return open ? socket : undefined;
  };

  /** The page hears of a token and a bot that others change, and shows it. */
  const changeBesides = async (): Promise<void> => {
    const token = await cluster.resources.require("token", "robot");
    const bot = await cluster.resources.require("bot", "robot");
    const changed = [
      { ...token, metadata: { ...token.metadata, description: "of build-7" } },
      { ...bot, spec: { ...bot.spec, max_session_ttl: "11h" } },
    ];
    const documents = changed.map((each) => ({ json: JSON.stringify(each) }));
    await cluster.admin.resources.update({ documents });
    await person.panel("Bot info").getByText("11h").waitFor();
  };

  test("Infrastructure Security sees roles and allowed traits at a glance", async () => {
    await person.settle("bots/robot");
    await person.panel("Roles and traits").getByText("echo-access").waitFor();
  });

  test("Infrastructure Security sees the join methods at a glance, after a second factor that is explained first", async () => {
    await person.sees("Viewing join tokens needs a second factor");
    await person.press("Verify");
    await changeBesides();
    await person.inDialog("Use a passkey");
    const tokens = person.panel("Join tokens");
    await tokens.getByText("bound_keypair").waitFor();
    await tokens.getByRole("link", { name: "robot" }).click();
    await person.page.waitForURL(/\/web\/tokens\/robot/);
    await person.page.goBack();
  });

  test("Infrastructure Security sees the active instances: when they were last active, on which host, by which method", async () => {
    const instances = person.panel("Active instances");
    for (const text of ["build-7", "bound_keypair", "healthy", "ago"])
      await instances.getByText(text).first().waitFor();
    await instances.getByRole("row").nth(1).getByRole("link").first().click();
    for (const text of [/^\d+ of 10$/, "echo-tunnel", "Heartbeats, newest first"])
      await person.sees(text);
    await person.page.goBack();
    await instances.getByRole("link", { name: "See more" }).click();
    await person.page.waitForURL(/search=robot/);
    await person.page.getByRole("link", { name: "robot" }).first().click();
  });

  test("Infrastructure Security edits roles, traits and the longest session, and the running bot goes on", async () => {
    await person.press("Edit");
    await person.choice("Roles").fill("access,");
    await person.press("Add a trait");
    await person.choice("Name of trait 1").fill("logins");
    await person.choice("Values of logins").fill("deploy,root,");
    await person.field("Longest session").fill("3h");
    await person.inDialog("Save");
    await person.panel("Bot info").getByText("3h").waitFor();
    const { spec } = await cluster.resources.require("bot", "robot");
    assert.deepEqual(spec, {
      roles: ["echo-access", "access"],
      traits: [{ name: "logins", values: ["deploy", "root"] }],
      max_session_ttl: "3h",
    });
    const socket = await talk();
    assert.ok(socket);
    socket.destroy();
  });

  test("Incident Response locks a bot: what its instances have open is cut, and nothing new opens", async () => {
    const open = await talk();
    assert.ok(open);
    const cut = closed(open);
    await person.press("Lock");
    await person.field("Message").fill("stolen laptop");
    await person.field("For how long").fill("2h");
    await person.inDialog("Lock");
    await person.sees("Locked by admin: stolen laptop");
    await cut;
    assert.equal(await talk(), undefined);
  });

  test("Incident Response takes the lock back on the same page, and the bot is back", async () => {
    await person.press("Unlock");
    await person.inDialog("Unlock");
    await person.page.getByText("Locked by admin").waitFor({ state: "detached" });
    await bot.healthy("echo-tunnel");
    await until("the tunnel", async () => {
      const socket = await talk();
      socket?.destroy();
      return socket !== undefined;
    });
  });

  test("DevOps sees in real time that a new machine enrols", async () => {
    await person.settle("bots");
    await person.press("Add a bot");
    await person.page.getByRole("textbox", { name: "Name", exact: true }).fill("fresh");
    await person.choice("Roles").fill("access,");
    await person.choice("Roles").press("Escape");
    await person.press("Add");
    await person.sees("Waiting for it to join");
    const shown = (await person.page.locator("pre").textContent()) ?? "";
    const uri = /'(tbot\+proxy\+bound-keypair:[^']+)'/.exec(shown)![1]!;
    await using yard = await Yard.open();
    const paths = [`--destination=${yard.path("out")}`, `--storage=${yard.path("bot")}`];
    const ran = await yard.run("tbot", ["start", "identity", uri, "--oneshot", ...paths]);
    assert.equal(ran.code, 0, ran.err);
    await person.sees("It joined");
    await person.page.getByRole("link", { name: "Show the bot" }).click();
    await person.page.getByRole("heading", { name: "fresh", exact: true }).waitFor();
  });

  test("Infrastructure Security deletes a bot that is no longer required, after locking was offered instead", async () => {
    await person.press("Delete");
    await person.sees("A lock cuts it off at once");
    await person.inDialog("Delete");
    await person.page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    assert.equal(await cluster.resources.get("bot", "fresh"), undefined);
    await person.page.getByRole("link", { name: "fresh" }).waitFor({ state: "detached" });
  });
});
