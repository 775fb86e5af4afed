// Every page by axe: names, roles, contrast, focus; in the light and in the dark, wide and narrow.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { assertFit } from "#testing/axe";
import { Browser, settled } from "#testing/browser";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";

suite("the web page, for everybody", needs("chromium"), () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ publicAddr: "localhost", name: "tenon.localhost" });
    const bot = { kind: "bot", version: "v1", metadata: { name: "robot" }, spec: { roles: [] } };
    await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(bot) }] });
    await cluster.lock({ user: "bot-robot" }, "stolen laptop");
    await cluster.cluster.inviteFirstUser("admin");
  });
  after(() => cluster[Symbol.asyncDispose]());

  for (const dark of [false, true])
    for (const width of [1280, 400])
      test(`${dark ? "dark" : "light"}, ${width} pixels wide`, async () => {
        await using browser = await Browser.open({ dark, width });
        const page = await browser.page();
        const { url } = await cluster.admin.auth.inviteUser({ user: "admin" });
        const { origin } = new URL(url);
        await page.goto(url);
        await page.getByText("Welcome, admin").waitFor();
        await assertFit(page);
        await page.getByRole("button", { name: "Make a passkey" }).click();
        await page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
        await assertFit(page);
        for (const path of ["bots/robot", "instances", "locks", "audit", "cluster", "account"]) {
          await page.goto(`${origin}/web/${path}`);
          await settled(page);
          await assertFit(page);
        }
        await page.goto(`${origin}/web/bots/robot`);
        await page.getByRole("button", { name: "Edit" }).first().click();
        await assertFit(page);
      });

  test("the look itself is sharp: a button without a name is found", async () => {
    await using browser = await Browser.open();
    const page = await browser.page();
    const { url } = await cluster.admin.auth.inviteUser({ user: "admin" });
    await page.goto(url);
    await page.getByText("Welcome, admin").waitFor();
    await page.evaluate("document.querySelector('form').append(document.createElement('button'))");
    await assert.rejects(assertFit(page), /button-name/);
  });

  test("a bot is reached and locked with the keyboard alone", async () => {
    await using browser = await Browser.open();
    const page = await browser.page();
    const { url } = await cluster.admin.auth.inviteUser({ user: "admin" });
    await page.goto(url);
    await page.getByRole("button", { name: "Make a passkey" }).press("Enter");
    await page.getByRole("link", { name: "robot", exact: true }).press("Enter");
    await page.getByRole("heading", { name: "robot", exact: true }).waitFor();
    await page.getByRole("button", { name: "Lock", exact: true }).press("Enter");
    const inside = "document.activeElement?.closest('dialog') !== null";
    assert.equal(await page.evaluate(inside), true);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
  });
});
