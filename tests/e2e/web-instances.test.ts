// The page of instances in a real browser: what runs where at a glance, and the address as its state.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import { Browser } from "#testing/browser";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";
import { verifiedClient } from "#testing/web-client";
import { WebTab } from "#testing/web-tab";

suite("the page of instances", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let tab: WebTab;
  let page: Page;

  before(async () => {
    cluster = await startCluster();
    const spec = { roles: ["editor"] };
    await cluster.put(
      { kind: "user", version: "v1", metadata: { name: "ed" }, spec },
      instance(1, "1.0.0", "healthy"),
      instance(2, "1.0.0", "failed"),
      instance(3, "0.9.0", "healthy"),
    );
    browser = await Browser.open();
    tab = await WebTab.open(browser, cluster);
    await tab.as(await verifiedClient(cluster, "ed"));
    page = tab.page;
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const hosts = (): Promise<string[]> =>
    page
      .getByRole("table", { name: "Viewing instances" })
      .getByText(/^host-\d$/)
      .allTextContents();
  const shows = (...expected: readonly string[]): Promise<unknown> =>
    until(`the list shows ${expected.join(", ")}`, async () => {
      return (await hosts()).join() === expected.join();
    });

  test("a version and a state of health, clicked, narrow the list down; clicked again they do not", async () => {
    await tab.go("instances");
    await shows("host-3", "host-2", "host-1");
    await page.getByRole("button", { name: /^1\.0\.0 2 / }).click();
    await shows("host-2", "host-1");
    await page.getByRole("button", { name: /^failed 1 / }).click();
    await shows("host-2");
    const { searchParams } = new URL(page.url());
    assert.equal(searchParams.get("version"), "1.0.0");
    assert.equal(searchParams.get("health"), "failed");
    await page.reload();
    await shows("host-2");
    await page.getByRole("button", { name: /^failed 1 /, pressed: true }).click();
    await tab.press("Show all");
    await shows("host-3", "host-2", "host-1");
  });

  test("a column's heading turns the order over, and the address says so", async () => {
    await page.getByRole("button", { name: /^Last active/ }).click();
    await shows("host-1", "host-2", "host-3");
    assert.equal(new URL(page.url()).searchParams.get("order"), "asc");
    await tab.go("instances?search=HOST-3&sort=name");
    await shows("host-3");
  });
});

function instance(i: number, version: string, status: string) {
  const time = new Date(Date.now() - (10 - i) * 1_000).toISOString();
  const id = `00000000-0000-4000-8000-00000000000${i}`;
  const beat = {
    time,
    version,
    hostname: `host-${i}`,
    os: "linux",
    architecture: "x64",
    uptime_seconds: 1,
    one_shot: false,
    kind: "tbot",
    configuration: "",
  };
  return {
    kind: "bot_instance",
    version: "v1",
    metadata: { name: `robot:${id}` },
    spec: { bot_name: "robot", instance_id: id },
    status: {
      generation: 1,
      latest_heartbeats: [beat],
      service_health: [{ name: "a", type: "identity", status, updated_at: time }],
    },
  };
}
