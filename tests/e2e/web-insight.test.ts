// What the page tells of a bot, in a real browser: the wish list of RFD 0217, and the audit log.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import type { RouteClient } from "#services/tunnel";
import { echoApplication, routeClient, type TestServer } from "#testing/applications";
import { assertFit } from "#testing/axe";
import { Browser, settled } from "#testing/browser";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";

const HOUR_MS = 3_600_000;
const ROW_PX = 44;
const SCROLLER = `document.querySelector('section[aria-label="Audit log"] .scroll')`;

suite("what the page tells of a bot", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let page: Page;
  let echo: TestServer;
  let origin = "";
  const active = randomUUID();
  const ended = randomUUID();
  const clients: RouteClient[] = [];

  before(async () => {
    echo = await echoApplication();
    cluster = await startCluster({ publicAddr: "localhost", name: "example.test" });
    await cluster.put(
      role("dev", { app_labels: { env: ["dev"] } }),
      role("reports", { db_labels: { team: ["blue"] } }),
      {
        kind: "db",
        version: "v1",
        metadata: { name: "orders", labels: { team: "blue" } },
        spec: db,
      },
    );
    await cluster.serve([
      { name: "echo", uri: `tcp://127.0.0.1:${echo.port}`, labels: { env: "dev" } },
    ]);
    const bot = {
      kind: "bot",
      version: "v1",
      metadata: { name: "robot" },
      spec: { roles: ["dev", "reports"] },
    };
    await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(bot) }] });
    await cluster.put(instance(active, HOUR_MS), instance(ended, -HOUR_MS));
    await cluster.cluster.inviteFirstUser("admin");
    browser = await Browser.open();
    page = await signIn(browser);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    for (const client of clients) await client[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });

  const signIn = async (into: Browser, user = "admin"): Promise<Page> => {
    const opened = await into.page();
    const { url } = await cluster.admin.auth.inviteUser({ user });
    ({ origin } = new URL(url));
    await opened.goto(url);
    await opened.getByRole("button", { name: "Make a passkey" }).click();
    await opened.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    return opened;
  };
  const open = async (path: string): Promise<void> => {
    await page.goto(`${origin}/web/${path}`);
    await settled(page);
  };
  const region = (name: string) => page.getByRole("region", { name, exact: true }).first();
  const connect = async (): Promise<() => Promise<void>> => {
    const identity = cluster.identities.user({
      user: "bot-robot",
      roles: ["dev"],
      appName: "echo",
      botName: "robot",
      botInstanceId: active,
    });
    const client = routeClient(cluster, identity);
    clients.push(client);
    const stream = await client.connect();
    stream.on("error", () => {});
    stream.write("hello");
    await once(stream, "data");
    return async () => {
      stream.end();
      await client[Symbol.asyncDispose]();
    };
  };
  /** Certificates that the bot was given, as the log tells of them. */
  const tell = async (count: number, app: string): Promise<void> => {
    for (let n = 0; n < count; n += 1)
      cluster.cluster.audit.emit({
        type: "cert.issue",
        actor: { kind: "bot", name: "robot", instance_id: active },
        remoteAddr: "192.0.2.1:1",
        fields: { roles: ["dev"], app, ttl_seconds: 60 },
      });
    await cluster.cluster.audit.flush();
  };

  test("which machines dropped out in the last day is seen beside those that are active", async () => {
    await open("bots/robot");
    await region("Active instances")
      .getByRole("link", { name: active.slice(0, 8) })
      .waitFor();
    await region("Recent instances")
      .getByRole("link", { name: ended.slice(0, 8) })
      .waitFor();
    const wrong = region("Recent instances").getByRole("link", { name: active.slice(0, 8) });
    assert.equal(await wrong.count(), 0);
  });

  test("what happens with the bot appears in its log by itself, without asking again and again", async () => {
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/events/search")) asked.push(request.url());
    });
    await open("bots/robot");
    await region("Audit log").getByText("bot.create").waitFor();
    const before = asked.length;
    await tell(1, "first-app");
    await region("Audit log").getByText("app=first-app").waitFor();
    assert.equal(asked.length, before + 1);
  });

  test("a log that was scrolled stays at what it shows while more comes", async () => {
    await tell(60, "many");
    const list = region("Audit log").getByRole("region").first();
    await until("they are there", async () => Number(await rowsOf(list)) > 60);
    await page.evaluate(`${SCROLLER}.scrollTop = 440`);
    const rows = Number(await rowsOf(list));
    await tell(5, "later");
    await until("the later ones came", async () => Number(await rowsOf(list)) === rows + 5);
    const top = await page.evaluate<number>(`${SCROLLER}.scrollTop`);
    assert.equal(top, 440 + 5 * ROW_PX);
  });

  test("how much it did in an hour, a day, a week: exact numbers, by pointer and by keyboard", async () => {
    await open("bots/robot");
    const panel = region("Activity");
    await panel.getByText("Certificates 66").waitFor();
    await panel.getByRole("link", { name: "Week" }).click();
    await page.waitForURL(/range=week/);
    await page.reload();
    const chart = panel.getByRole("slider");
    await chart.waitFor();
    assert.equal(await chart.getAttribute("aria-valuemax"), "56");
    await chart.focus();
    assert.match((await chart.getAttribute("aria-valuetext")) ?? "", /66 certificates/);
    await page.keyboard.press("Home");
    assert.match((await chart.getAttribute("aria-valuetext")) ?? "", /nothing/);
    await panel.getByText("Certificates 0").waitFor();
    await panel.getByText("As a table").click();
    await panel.getByRole("cell", { name: "66" }).waitFor();
  });

  test("what it did just now is counted at once", async () => {
    await tell(1, "counted");
    await region("Activity").getByRole("cell", { name: "67" }).waitFor();
  });

  test("a connection that opens is seen at once, and its end too; it leads to its own events", async () => {
    await open("bots/robot");
    await region("Sessions").getByText("has not connected to an application yet").waitFor();
    const close = await connect();
    await region("Sessions").getByText("1 open").waitFor();
    await region("Access graph")
      .getByRole("link", { name: active.slice(0, 8) })
      .waitFor();
    await close();
    await region("Sessions").getByText("ended").waitFor();
    await region("Sessions").getByText("not interactive").waitFor();
    await region("Sessions")
      .getByRole("link", { name: "Show the events of this session with echo" })
      .click();
    await page.waitForURL(/audit\?session=/);
    await page.getByText("app.session.end").first().waitFor();
    assert.equal(await page.getByText("cert.issue").count(), 0);
  });

  test("what it reaches is drawn, and walked with the keyboard alone", async () => {
    await open("bots/robot");
    const graph = region("Access graph");
    const node = (name: string) => graph.getByRole("link", { name, exact: false });
    await node("orders").waitFor();
    assert.ok((await graph.locator("svg path").count()) >= 4);
    await node("robot").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    const focused = "document.activeElement.textContent";
    assert.match(await page.evaluate<string>(focused), /orders.*database.*reached by reports/);
    await page.keyboard.press("ArrowLeft");
    assert.match(await page.evaluate<string>(focused), /reports.*role/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/resources\/role\/reports/);
  });

  test("of a locked bot the graph says that nothing works", async () => {
    await open("bots/robot");
    const name = await cluster.lock({ user: "bot-robot" }, "stolen");
    await region("Access graph").getByText("nothing of this works now").waitFor();
    await cluster.admin.resources.delete({ kind: "lock", name });
    await region("Access graph")
      .getByText("nothing of this works now")
      .waitFor({ state: "detached" });
  });

  test("an auditor narrows the log down, and hands the address on", async () => {
    await open("audit");
    await page.getByLabel("Outcome").selectOption("success");
    await page.getByRole("searchbox", { name: "Bot" }).fill("robot");
    await page.getByRole("combobox", { name: "Type" }).fill("bot.create");
    await page.keyboard.press("Escape");
    await page.waitForURL(/type=bot\.create/);
    await page.getByLabel("Time").selectOption("day");
    await page.waitForURL(/range=day/);
    await page.reload();
    await settled(page);
    await page.getByRole("link", { name: "bot.create" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "cert.issue" }).count(), 0);
    await page.getByRole("button", { name: "Clear all" }).click();
    await page.getByRole("link", { name: "cert.issue" }).first().waitFor();
    assert.equal(new URL(page.url()).search, "");
  });

  test("one event is read whole, at an address of its own", async () => {
    await open("audit?type=bot.create");
    await page.getByRole("link", { name: "bot.create" }).click();
    await page.getByRole("heading", { name: "bot.create" }).waitFor();
    await page.reload();
    const json = JSON.parse((await page.locator("pre").textContent()) ?? "") as { fields: object };
    assert.partialDeepStrictEqual(json.fields, { name: "robot", roles: ["dev", "reports"] });
  });

  test("an auditor takes the events of a filter away as a file", async () => {
    await open("audit?bot=robot&type=bot.create");
    const came = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export these events" }).click();
    await page.getByRole("menuitem", { name: "CSV, for a spreadsheet" }).click();
    const file = await came;
    assert.match(file.suggestedFilename(), /^example\.test-events-.*\.csv$/);
    const rows = (await readFile(await file.path(), "utf8")).trimEnd().split("\r\n");
    assert.equal(rows.length, 2);
    assert.match(rows[1]!, /,bot\.create,success,/);
  });

  test("who may only see bots is told what the page does not show, and why", async () => {
    const rules = [{ resources: ["bot"], verbs: ["list", "read"] }];
    const user = { kind: "user", version: "v1", metadata: { name: "vi" } };
    await cluster.put(role("viewer", { rules }), { ...user, spec: { roles: ["viewer"] } });
    await using other = await Browser.open();
    const own = page;
    page = await signIn(other, "vi");
    await open("bots/robot");
    const graph = region("Access graph");
    await graph.getByText("Your roles do not show what roles open, nodes, applications").waitFor();
    await graph.getByRole("link", { name: "dev" }).waitFor();
    for (const panel of ["Recent instances", "Activity", "Sessions", "Audit log"])
      await region(panel).getByText("You may not see this").waitFor();
    page = own;
  });

  for (const [dark, width] of [
    [false, 1440],
    [true, 400],
  ] as const)
    test(`for everybody: ${dark ? "dark and narrow" : "light and wide"}`, async () => {
      await using other = await Browser.open({ dark, width });
      page = await signIn(other);
      await open("bots/robot?range=hour");
      await region("Activity").locator(".bar").first().waitFor();
      await region("Access graph").getByRole("link", { name: "orders" }).waitFor();
      await region("Activity").getByText("As a table").click();
      await assertFit(page);
      for (const path of ["audit?bot=robot&from=2026-01-01T00:00:00Z", "audit?range=hour"]) {
        await open(path);
        await assertFit(page);
      }
      await page
        .getByRole("link", { name: /bot\.|user\./ })
        .first()
        .click();
      await page.locator("pre").waitFor();
      await assertFit(page);
    });
});

const rowsOf = (list: ReturnType<Page["locator"]>): Promise<string | null> =>
  list.getByRole("table").getAttribute("aria-rowcount");

const db = { protocol: "postgres", uri: "db.internal:5432" };
const role = (name: string, allow: object) => ({
  kind: "role",
  version: "v1",
  metadata: { name },
  spec: { allow },
});
/** Joined a while ago; its credentials end after so long, or ended before. */
const instance = (id: string, endsIn: number) => ({
  kind: "bot_instance",
  version: "v1",
  metadata: { name: `robot:${id}` },
  spec: { bot_name: "robot", instance_id: id },
  status: {
    generation: 1,
    latest_authentications: [
      {
        time: new Date(Date.now() - 2 * HOUR_MS).toISOString(),
        expires: new Date(Date.now() + endsIn).toISOString(),
        join_method: "bound_keypair",
        token: "robot",
        generation: 1,
        key_fingerprint: "",
        remote_addr: "192.0.2.1:1",
        recovery: true,
      },
    ],
  },
});
