// A page before an older proxy (RFD 0217, "Backwards compatibility"): simulated at the HTTP boundary
// only; the page and the cluster are real.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, suite, test } from "node:test";
import type { Route } from "playwright-core";
import { Browser } from "#testing/browser";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import type { WebClient } from "#testing/web-client";
import { WebPerson } from "#testing/web-person";
import { WebTab } from "#testing/web-tab";

const OLDER = "0.0.9";
const EXPLAINED = `this proxy (version ${OLDER}) is older than the page`;

suite("the page before an older proxy", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let tab: WebTab;
  let session: WebClient;
  const clock = new ManualClock(Date.now());
  const quiet = randomUUID();
  const lively = randomUUID();

  before(async () => {
    cluster = await startCluster({ publicAddr: "localhost", name: "tenon.localhost", clock });
    browser = await Browser.open();
    const about = { name: "ed", roles: ["editor", "auditor", "access"] };
    session = await (await WebPerson.make(cluster, clock, about)).verified();
    const documents = ["robot", "other"].map((name) => ({
      json: JSON.stringify({ kind: "bot", version: "v1", metadata: { name }, spec: { roles: [] } }),
    }));
    await cluster.admin.resources.create({ documents });
    await cluster.put(
      token("of-robot", { roles: ["Bot"], bot_name: "robot" }),
      token("of-other", { roles: ["Bot"], bot_name: "other" }),
      token("of-agents", { roles: ["App"] }),
      instance(quiet, "01"),
      instance(lively, "02"),
    );
    tab = await WebTab.open(browser, cluster);
    await tab.as(session);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  // The page of the test before may ask again meanwhile: what is being answered is let end, and it goes.
  beforeEach(async () => {
    await tab.page.unrouteAll({ behavior: "wait" });
    await tab.page.goto("about:blank");
  });

  /** As a proxy answers that does not know what follows the question mark. */
  const ignoresQuery = async (pattern: RegExp): Promise<void> => {
    await tab.page.route(pattern, async (route) => {
      const url = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: url.origin + url.pathname }) });
    });
  };
  const lacks = async (pattern: RegExp, method = "GET"): Promise<void> => {
    await tab.page.route(pattern, async (route: Route) => {
      if (route.request().method() !== method) return await route.fallback();
      const error = { code: "not_found", message: "path not found" };
      await route.fulfill({ status: 404, json: { error, proxyVersion: OLDER } });
    });
  };

  test("that sends every token shows only those of this bot", async () => {
    await ignoresQuery(/\/webapi\/tokens\?/);
    await tab.open("bots/robot");
    const panel = tab.page.getByRole("region", { name: "Join tokens", exact: true });
    await panel.getByText("of-robot").waitFor();
    assert.equal(await panel.getByText(/of-other|of-agents/).count(), 0);
  });

  test("that sends every lock shows no bot as locked that is not", async () => {
    const names = [
      await cluster.lock({ user: "bot-other" }, "another's"),
      await cluster.lock({ role: "bystander" }, "a role's"),
    ];
    const past = {
      target: { user: "bot-robot" },
      message: "long over",
      expires: "2020-01-01T00:00:00Z",
    };
    await cluster.put({ kind: "lock", version: "v2", metadata: { name: "past" }, spec: past });
    const everything = tab.page.waitForResponse(/\/locks/);
    await ignoresQuery(/\/locks\?/);
    await tab.open("bots/robot");
    const { items } = (await (await everything).json()) as { items: readonly { name: string }[] };
    assert.ok(names.every((name) => items.some((lock) => lock.name === name)));
    await tab.page.getByRole("region", { name: "Bot info" }).waitFor();
    assert.equal(await tab.page.getByText(/Locked by|long over|another's|a role's/).count(), 0);
    assert.equal(await tab.page.getByText("locked", { exact: true }).count(), 0);
    const own = await cluster.lock({ user: "bot-robot" }, "its own");
    await tab.sees("its own");
    for (const name of [own, ...names])
      await cluster.admin.resources.delete({ kind: "lock", name });
  });

  test("that does not sort shows the instance that was heard of last first", async () => {
    await tab.page.route(/\/bot-instance\?/, async (route) => {
      const response = await route.fetch();
      const { items, ...rest } = (await response.json()) as { items: { last_active_at: string }[] };
      const sorted = items.toSorted((a, b) => (a.last_active_at < b.last_active_at ? -1 : 1));
      await route.fulfill({ response, json: { items: sorted, ...rest } });
    });
    await tab.open("bots/robot");
    const rows = tab.page.getByRole("table", { name: "Active instances" }).getByRole("row");
    await rows.nth(2).waitFor();
    assert.match((await rows.nth(1).textContent()) ?? "", new RegExp(lively.slice(0, 8)));
    assert.match((await rows.nth(2).textContent()) ?? "", new RegExp(quiet.slice(0, 8)));
  });

  test("that lacks the second version of a change explains, changes nothing, and keeps what was typed", async () => {
    await lacks(/\/v2\/webapi\/.*\/machine-id\/bot\/robot$/, "PUT");
    await tab.open("bots/robot");
    const before = await cluster.resources.require("bot", "robot");
    await tab.press("Edit");
    await tab.field("Longest session").fill("3h");
    await tab.inDialog("Save");
    await tab.page.locator("dialog").getByText(EXPLAINED).waitFor();
    assert.equal(await tab.field("Longest session").inputValue(), "3h");
    assert.deepEqual(await cluster.resources.require("bot", "robot"), before);
  });

  test("that lacks what a new panel asks for explains in that panel, and shows the others", async () => {
    await lacks(/\/bot-instance\/summary/);
    await tab.open("instances");
    await tab.sees(EXPLAINED);
    await tab.sees(lively.slice(0, 8));
  });

  test("that lacks the stream shows everything, and does not ask for it all the time", async () => {
    let asked = 0;
    await tab.page.route(/\/live$/, async (route) => {
      asked += 1;
      await route.fulfill({ status: 404, json: { proxyVersion: OLDER } });
    });
    await tab.open("bots/robot");
    await tab.sees("of-robot");
    await tab.sees("The connection to the cluster is lost");
    assert.ok(asked <= 3, `${asked} times`);
  });
});

const token = (name: string, spec: object) => ({
  kind: "token",
  version: "v2",
  metadata: { name },
  spec: { join_method: "bound_keypair", bound_keypair: { recovery: {} }, ...spec },
});

const instance = (id: string, day: string) => ({
  kind: "bot_instance",
  version: "v1",
  metadata: { name: `robot:${id}` },
  spec: { bot_name: "robot", instance_id: id },
  status: {
    generation: 1,
    latest_heartbeats: [
      {
        time: `2026-02-${day}T00:00:00Z`,
        version: "1.0.0",
        hostname: "build-1",
        os: "linux",
        architecture: "x64",
        uptime_seconds: 1,
        one_shot: false,
        kind: "tbot",
        configuration: "",
      },
    ],
  },
});
