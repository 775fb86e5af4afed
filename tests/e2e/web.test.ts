// The web page in a real browser, against a real cluster: the user stories of RFD 0217.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import { Browser } from "#testing/browser";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { until } from "#testing/wait";

suite("the web page", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let page: Page;
  let origin = "";

  before(async () => {
    cluster = await startCluster({ publicAddr: "localhost", name: "tenon.localhost" });
    browser = await Browser.open();
    await addBot("robot");
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const addBot = async (name: string): Promise<void> => {
    const spec = { roles: ["access"], traits: [{ name: "logins", values: ["root"] }] };
    const document = { kind: "bot", version: "v1", metadata: { name }, spec };
    await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(document) }] });
  };
  const open = async (path: string): Promise<void> => {
    await page.goto(`${origin}/web/${path}`);
    await page.locator("main h1").waitFor();
  };
  const press = (name: string) => page.getByRole("button", { name, exact: true }).first().click();
  const field = (name: string) =>
    page.locator("dialog").getByRole("textbox", { name, exact: true });
  const choice = (name: string) => page.getByRole("combobox", { name, exact: true });
  const inDialog = (name: string) =>
    page.locator("dialog").getByRole("button", { name, exact: true }).last().click();

  test("an invitation: a passkey is made, and signs in", async () => {
    const url = await cluster.cluster.inviteFirstUser("admin");
    origin = new URL(url).origin;
    page = await browser.page();
    await page.goto(url);
    await page.getByText("Welcome, admin").waitFor();
    await press("Make a passkey");
    await page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    await page.getByRole("link", { name: "robot", exact: true }).waitFor();
    assert.equal(new URL(page.url()).hash, "");
  });

  test("nothing of the session is in reach of a script", async () => {
    const seen = await page.evaluate("[document.cookie, localStorage.length]");
    assert.deepEqual(seen, ["", 0]);
  });

  test("roles, traits and how it may join are seen at a glance", async () => {
    await open("bots/robot");
    const access = page.getByRole("region", { name: "Roles and traits" });
    await access.getByText("access").waitFor();
    await access.getByText("root").waitFor();
    await page.getByText("admin").first().waitFor();
  });

  test("join tokens are shown after a second factor, which is explained first", async () => {
    const bound_keypair = { onboarding: { registration_secret: "s3cret" }, recovery: { limit: 1 } };
    await cluster.put({
      kind: "token",
      version: "v2",
      metadata: { name: "robot-token" },
      spec: { roles: ["Bot"], bot_name: "robot", join_method: "bound_keypair", bound_keypair },
    });
    await open("bots/robot");
    await page.getByText("Viewing join tokens needs a second factor").waitFor();
    await press("Verify");
    await inDialog("Use a passkey");
    await page.getByText("robot-token").waitFor();
  });

  test("roles, traits and the longest session are changed in one go", async () => {
    await press("Edit");
    await choice("Roles").fill("auditor,");
    await choice("Values of logins").fill("deploy,");
    await field("Longest session").fill("43200s");
    await inDialog("Save");
    await page.getByRole("region", { name: "Bot info" }).getByText("43200s").waitFor();
    const bot = await cluster.resources.require("bot", "robot");
    assert.deepEqual(bot.spec.roles, ["access", "auditor"]);
    assert.deepEqual(bot.spec.traits, [{ name: "logins", values: ["root", "deploy"] }]);
  });

  test("a change that somebody else overtook is refused, and nothing is lost", async () => {
    await press("Edit");
    const current = await cluster.resources.require("bot", "robot");
    const changed = { ...current, spec: { ...current.spec, max_session_ttl: "1h" } };
    await cluster.admin.resources.update({ documents: [{ json: JSON.stringify(changed) }] });
    await inDialog("Remove auditor");
    await inDialog("Save");
    await page.getByText("somebody else was first").waitFor();
    await page.keyboard.press("Escape");
    const after = await cluster.resources.require("bot", "robot");
    assert.deepEqual(after.spec.roles, ["access", "auditor"]);
  });

  test("a bot is locked with a message, and unlocked from the same page", async () => {
    await press("Lock");
    await field("Message").fill("stolen laptop");
    await field("For how long").fill("2h");
    await inDialog("Lock");
    await page.getByText("Locked by admin: stolen laptop").waitFor();
    const [lock] = await cluster.resources.first("lock", 1);
    assert.deepEqual(lock?.spec.target, { user: "bot-robot" });
    await press("Unlock");
    await inDialog("Unlock");
    await page.getByText("Locked by admin").waitFor({ state: "detached" });
  });

  test("a machine that joins appears by itself", async () => {
    await page.getByText("No machine is this bot now").waitFor();
    const id = randomUUID();
    await cluster.put({
      kind: "bot_instance",
      version: "v1",
      metadata: { name: `robot:${id}` },
      spec: { bot_name: "robot", instance_id: id },
      status: {
        generation: 1,
        latest_authentications: [
          {
            time: new Date().toISOString(),
            expires: new Date(Date.now() + 3_600_000).toISOString(),
            join_method: "bound_keypair",
            token: "robot-token",
            generation: 1,
            key_fingerprint: "",
            remote_addr: "192.0.2.1:1",
            recovery: true,
          },
        ],
      },
    });
    await page.getByRole("link", { name: id.slice(0, 8) }).waitFor();
    await page.getByRole("link", { name: id.slice(0, 8) }).click();
    await page.getByRole("heading", { name: id }).waitFor();
  });

  test("a bot is added, its machine gets its command, and is seen as soon as it joins", async () => {
    await open("bots");
    await press("Add a bot");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("fresh");
    await choice("Roles").fill("access,");
    await choice("Roles").press("Escape");
    await press("Add");
    await page.getByText("Waiting for it to join").waitFor();
    const shown = (await page.locator("pre").textContent()) ?? "";
    const uri = /'(tbot\+proxy\+bound-keypair:[^']+)'/.exec(shown)![1]!;
    await using yard = await Yard.open();
    const paths = [`--destination=${yard.path("out")}`, `--storage=${yard.path("bot")}`];
    const ran = await yard.run("tbot", ["start", "identity", uri, "--oneshot", ...paths]);
    assert.equal(ran.code, 0, ran.err);
    await page.getByText("It joined").waitFor();
    await page.getByRole("link", { name: "Show the bot" }).click();
    await page.getByRole("heading", { name: "fresh", exact: true }).waitFor();
  });

  test("a bot is deleted, after locking was offered instead", async () => {
    await addBot("doomed");
    await open("bots/doomed");
    await press("Delete");
    await page.getByText("A lock cuts it off at once").waitFor();
    await inDialog("Delete");
    await page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    assert.equal(await cluster.resources.get("bot", "doomed"), undefined);
  });

  test("the address bar is the state: a search is there after a reload", async () => {
    await open("bots");
    await page.getByRole("searchbox").fill("rob");
    await page.waitForURL(/search=rob/);
    await page.reload();
    assert.equal(await page.getByRole("searchbox").inputValue(), "rob");
  });

  test("every page opens, without an error in the browser", async () => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !/403|INCOMPLETE/.test(message.text()))
        errors.push(message.text());
    });
    const paths = ["instances", "tokens", "locks", "audit", "cluster"];
    const kinds = ["role", "user", "app", "node", "db"];
    for (const path of [...paths, ...kinds.map((kind) => `resources/${kind}`)]) await open(path);
    assert.deepEqual(errors, []);
  });

  test("a lock on the person shows in place of what they may no longer see", async () => {
    const name = await cluster.lock({ user: "admin" }, "on leave");
    await page.goto(`${origin}/web/bots/robot`);
    await page.getByText("on leave").first().waitFor();
    await cluster.admin.resources.delete({ kind: "lock", name });
  });

  test("signing out leads to the door, and the passkey opens it again", async () => {
    await open("bots");
    await press("Sign out");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(`${origin}/web/bots/robot`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await press("Use a passkey");
    await page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
  });

  test("who may not change a bot sees why", async () => {
    await cluster.put(
      { kind: "user", version: "v1", metadata: { name: "vi" }, spec: { roles: ["viewer"] } },
      {
        kind: "role",
        version: "v1",
        metadata: { name: "viewer" },
        spec: { allow: { rules: [{ resources: ["bot"], verbs: ["list", "read"] }] } },
      },
    );
    const { url } = await cluster.admin.auth.inviteUser({ user: "vi" });
    await press("Sign out");
    await page.goto(url);
    await press("Make a passkey");
    await page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    await open("bots/robot");
    const edit = page.getByRole("button", { name: "Edit", exact: true });
    await until("the button is off", async () => await edit.isDisabled());
    assert.match((await edit.getAttribute("title")) ?? "", /none of your roles \(viewer\)/);
    await page.getByText("You may not see this").first().waitFor();
  });
});
