// The rest of a console in a real browser: documents as form and as YAML, people, locks, bound keys.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import { assertFit } from "#testing/axe";
import { Browser, settled } from "#testing/browser";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";

const SECRET = "0123456789abcdef0123456789abcdef";
/** Markup, a change of the direction of writing, and a line that is far too long. */
const HOSTILE = `<img src=x onerror="globalThis.hacked=1">\u202Egnp.exe ${"x".repeat(950)}`;

suite("the console in the web page", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let page: Page;
  let origin = "";

  before(async () => {
    cluster = await startCluster({ publicAddr: "localhost", name: "tenon.localhost" });
    browser = await Browser.open();
    await create(
      document("bot", "robot", { roles: ["access"] }),
      document("role", "deployers", { allow: { logins: ["deploy"] } }),
      document("user", "carol", { roles: ["deployers"], traits: { logins: ["carol"] } }),
      document("token", SECRET, { roles: ["App"], join_method: "token" }, "v2"),
    );
    const url = await cluster.cluster.inviteFirstUser("admin");
    origin = new URL(url).origin;
    page = await enter(browser, url);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const create = async (...documents: object[]): Promise<void> => {
    for (const each of documents)
      await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(each) }] });
  };
  const enter = async (from: Browser, url: string): Promise<Page> => {
    const entered = await from.page();
    await entered.goto(url);
    await entered.getByRole("button", { name: "Make a passkey" }).click();
    await entered.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    return entered;
  };
  const open = async (path: string): Promise<void> => {
    await page.goto(`${origin}/web/${path}`);
    await settled(page);
  };
  const press = (name: string) => page.getByRole("button", { name, exact: true }).first().click();
  const inDialog = (name: string) =>
    page.locator("dialog").getByRole("button", { name, exact: true }).last().click();
  const field = (name: string) => page.getByRole("textbox", { name, exact: true });
  const editor = () => page.getByRole("textbox", { name: /^YAML of this/ });
  const faults = () => page.getByRole("status", { name: "Faults" });
  const verify = async (): Promise<void> => {
    await press("Verify");
    await inDialog("Use a passkey");
  };

  test("join tokens are listed after a second factor; a name that is the secret is masked", async () => {
    await open("tokens");
    await page.getByText("Viewing join tokens needs a second factor").waitFor();
    await verify();
    await page.getByRole("link", { name: "0123…" }).click();
    await page.getByRole("heading", { name: "0123…" }).waitFor();
    await page.getByText("is the secret, and hidden").waitFor();
    assert.ok(!page.url().includes(SECRET));
    assert.ok(!(await page.content()).includes(SECRET));
    await press("Show secrets");
    await page.getByText(`name: ${SECRET}`).waitFor();
  });

  test("a join token is made by a form, and the bot of it is picked", async () => {
    await open("tokens");
    await press("New join token");
    await page.getByRole("heading", { name: "New join token" }).waitFor();
    await field("Name").fill("robot-ci");
    await page.getByLabel("Join method").selectOption("github");
    await page.getByRole("combobox", { name: "Bot", exact: true }).fill("rob");
    await page.getByRole("option", { name: "robot" }).click();
    await page.keyboard.press("Tab");
    await page.getByRole("textbox", { name: "Value of repository" }).fill("octo/app");
    await page.getByRole("button", { name: "Create", exact: true }).dblclick();
    await page.getByRole("heading", { name: "robot-ci" }).waitFor();
    await page.getByText("octo/app").first().waitFor();
    const { spec } = await cluster.resources.require("token", "robot-ci");
    assert.deepEqual([spec.bot_name, spec.join_method], ["robot", "github"]);
    assert.deepEqual(spec.github?.allow, [{ repository: "octo/app" }]);
    // It was pressed twice, and written once.
    const made = (await cluster.events("token.create")).map(({ fields }) => fields);
    assert.equal(made.filter((each) => JSON.stringify(each).includes("robot-ci")).length, 1);
  });

  test("a fault in the YAML stands at its line, leads there, and is mended in place", async () => {
    await open("resources/role");
    await press("New role");
    await page.getByRole("tab", { name: "YAML" }).click();
    await write(
      "kind: role\nversion: v1\nmetadata:\n  name: readers\nspec:\n  allow:\n    rulez: []\n",
    );
    await faults().getByText("One fault").waitFor();
    const fault = faults().getByRole("button");
    assert.match(
      (await fault.textContent()) ?? "",
      /line 7.*spec\.allow\.rulez.*did you mean "rules"/,
    );
    await press("Create");
    await page.getByText("nothing was written: there is a fault in it").waitFor();
    assert.equal(await cluster.resources.get("role", "readers"), undefined);
    await fault.click();
    await page.keyboard.press("End");
    await page.keyboard.press("Shift+Home");
    await page.keyboard.type("    logins: [reader] # for reading");
    await page.getByText("No faults found.").waitFor();
  });

  test("the form and the YAML are one draft: what one shows the other has, comments too", async () => {
    await page.getByRole("tab", { name: "Form" }).click();
    await page.waitForURL(/view=form/);
    await page.getByRole("row", { name: "reader" }).waitFor();
    await field("Description").fill("who may read");
    await page.getByRole("tab", { name: "YAML" }).click();
    const text = (await editor().textContent()) ?? "";
    assert.match(text, /description: who may read/);
    assert.match(text, /# for reading/);
    await press("Create");
    await page.getByRole("heading", { name: "readers" }).waitFor();
    const role = await cluster.resources.require("role", "readers");
    assert.deepEqual(role.spec.allow.logins, ["reader"]);
    assert.equal(role.metadata.description, "who may read");
  });

  test("what a role allows and denies is said in words, and who has it", async () => {
    await open("resources/role/deployers");
    const allows = page.getByRole("region", { name: "What it allows" });
    await allows.getByText("deploy", { exact: true }).waitFor();
    const holders = page.getByRole("region", { name: "Who has it" });
    await holders.getByRole("link", { name: "carol" }).waitFor();
  });

  test("a role that somebody has is not deleted, and the refusal says who", async () => {
    await press("Delete");
    await inDialog("Delete");
    await page.locator("dialog").getByText('is still granted to user "carol"').waitFor();
    await page.keyboard.press("Escape");
    assert.ok(await cluster.resources.get("role", "deployers"));
  });

  test("a stale revision: nothing is lost, and the newer one stands beside", async () => {
    await press("Edit");
    await field("Description").fill("mine");
    const current = await cluster.resources.require("role", "deployers");
    const theirs = { ...current, metadata: { ...current.metadata, description: "theirs" } };
    await cluster.admin.resources.update({ documents: [{ json: JSON.stringify(theirs) }] });
    await press("Save");
    await page.getByText("Somebody else changed it while you were at it").waitFor();
    await page.getByLabel("As it is now").getByText("description: theirs").waitFor();
    await page.getByLabel("As you typed it").getByText("description: mine").waitFor();
    assert.equal(
      (await cluster.resources.require("role", "deployers")).metadata.description,
      "theirs",
    );
    await press("Keep mine, to be saved over it");
    await press("Save");
    await page.getByRole("button", { name: "Edit", exact: true }).waitFor();
    assert.equal(
      (await cluster.resources.require("role", "deployers")).metadata.description,
      "mine",
    );
  });

  test("a stray click does not lose what was typed", async () => {
    await press("Edit");
    await field("Description").fill("half a sente");
    await page.getByRole("link", { name: "Locks" }).click();
    await page.getByText("What you typed here is not saved").waitFor();
    await inDialog("Cancel");
    assert.equal(await field("Description").inputValue(), "half a sente");
    await page.getByRole("link", { name: "Locks" }).click();
    await inDialog("Leave");
    await page.getByRole("heading", { name: "Locks", exact: true }).waitFor();
  });

  test("a lock is made for anybody, seen where it counts, and removed", async () => {
    await open("locks");
    await press("New lock");
    await page.getByLabel("What it cuts off").selectOption("join_token");
    await page.getByRole("combobox", { name: "Which one" }).fill("robot-");
    await page.getByRole("option", { name: "robot-ci" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByLabel("What it cuts off").selectOption("user");
    await page.getByRole("combobox", { name: "Which one" }).fill("carol");
    await page.keyboard.press("Tab");
    await page.locator("dialog").getByRole("textbox", { name: "Message" }).fill("on leave");
    await inDialog("Lock");
    await page.getByRole("link", { name: "on leave" }).waitFor();
    await page.getByRole("link", { name: "carol" }).click();
    await page.getByText("Locked by admin: on leave").waitFor();
    await page.getByRole("link", { name: "Show the lock" }).click();
    await page.getByText("in force").waitFor();
    await press("Delete");
    await inDialog("Delete");
    await page.getByText("Nothing is locked.").waitFor();
  });

  test("a user is made and invited by a link that is shown once", async () => {
    await open("resources/user");
    await press("New user");
    await field("Name").fill("dora");
    await page.getByRole("combobox", { name: "Roles" }).fill("auditor,");
    await page.keyboard.press("Tab");
    await press("Create");
    await page.getByText("Invite dora?").waitFor();
    await inDialog("Make a link");
    const link = (await page.locator("dialog pre").textContent()) ?? "";
    await inDialog("Done");
    await page.getByRole("heading", { name: "dora" }).waitFor();
    await page.getByText("has not taken up an invitation").waitFor();
    await using other = await Browser.open();
    await enter(other, link.trim());
    await page.reload();
    await page.getByText("a passkey", { exact: true }).waitFor();
  });

  test("the machine of a bound key is let back in", async () => {
    const spec = { roles: ["Bot"], bot_name: "robot", join_method: "bound_keypair" };
    await create(document("token", "robot", spec, "v2"));
    await open("tokens/robot");
    await page.getByText("1 of 1 left").waitFor();
    await press("Reset");
    await inDialog("Reset");
    await page.getByText("It may come back").waitFor();
    await inDialog("Done");
  });

  test("an alert is counted beside the menu, and leads to what it is about", async () => {
    const config = await cluster.resources.require("cluster_config", "cluster");
    await cluster.put({ ...config, spec: { ...config.spec, recovery_alert_threshold: 5 } });
    const token = await cluster.resources.require("token", "robot");
    const bound_keypair = {
      ...token.status!.bound_keypair!,
      bound_bot_instance_id: crypto.randomUUID(),
      recovery_count: 1,
    };
    await cluster.put({ ...token, status: { bound_keypair } });
    await open("cluster");
    await page.getByRole("img", { name: "one alert" }).waitFor();
    await page.getByRole("link", { name: "Allow more recoveries" }).click();
    await page.getByRole("spinbutton", { name: "Recovery limit" }).fill("9");
    await press("Save");
    await page.getByText("8 of 9 left").waitFor();
    await page.getByRole("img", { name: "one alert" }).waitFor({ state: "detached" });
  });

  test("the settings of the cluster are changed by a form that is made of their schema", async () => {
    await open("cluster");
    await page
      .getByRole("region", { name: "Settings" })
      .getByRole("button", { name: "Edit" })
      .click();
    await field("Events are kept").fill("x");
    await faults().getByRole("button").waitFor();
    await field("Events are kept").fill("100h");
    await press("Save");
    await until("the settings", async () => {
      const { spec } = await cluster.resources.require("cluster_config", "cluster");
      return spec.audit_retention === "100h";
    });
  });

  test("hostile text is shown as text, in words, in YAML and in the editor", async () => {
    const labels = { "<script>alert(1)</script>": HOSTILE.slice(0, 200) };
    const node = document("node", "hostile", { hostname: "h", addr: "h:22" });
    await create({ ...node, metadata: { name: "hostile", description: HOSTILE, labels } });
    for (const path of [
      "resources/node",
      "resources/node/hostile",
      "resources/node/hostile?view=form",
    ])
      await open(path);
    await open("resources/node/hostile?view=yaml");
    await editor().waitFor();
    await page.getByText("onerror").first().waitFor();
    assert.equal(await page.evaluate("globalThis.hacked"), undefined);
    const sideways = "document.documentElement.scrollWidth - innerWidth";
    assert.ok((await page.evaluate<number>(sideways)) <= 0);
    await write("spec:\n  __proto__: { polluted: true }\n  x: 1\n");
    await faults().getByText("spec.__proto__").waitFor();
    assert.equal(await page.evaluate("({}).polluted"), undefined);
  });

  test("a line of a hundred thousand characters can be written and is checked", async () => {
    await write(`kind: node # ${"y".repeat(100_000)}\nnonsense: true\n`);
    await faults().getByText("nonsense").waitFor();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
    // The editor is no trap for who has only a keyboard.
    await editor().focus();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.closest('.editor')"), null);
  });

  test("the new pages fit everybody: light and wide, dark and narrow", async () => {
    const paths = [
      "tokens/robot",
      "tokens/robot?view=form",
      "locks",
      "resources/role/deployers",
      "resources/role/deployers?view=form",
      "resources/role/deployers?view=yaml",
      "resources/user/carol",
      "create/token",
      "cluster",
    ];
    for (const look of [{ width: 1280 }, { dark: true, width: 400 }]) {
      await using other = await Browser.open(look);
      const { url } = await cluster.admin.auth.inviteUser({ user: "admin", recovery: true });
      const shown = await enter(other, url);
      await shown.goto(`${origin}/web/tokens`);
      await shown.getByRole("button", { name: "Verify" }).click();
      await shown.locator("dialog").getByRole("button", { name: "Use a passkey" }).click();
      await shown.getByRole("link", { name: "robot-ci" }).waitFor();
      for (const path of paths) {
        await shown.goto(`${origin}/web/${path}`);
        await settled(shown);
        await assertFit(shown);
      }
    }
  });

  test("who may only look finds every action disabled, with the reason", async () => {
    const rules = [{ resources: ["role", "user", "bot"], verbs: ["list", "read"] }];
    await create(
      document("role", "onlooker", { allow: { rules } }),
      document("user", "vi", { roles: ["onlooker"] }),
    );
    await using other = await Browser.open();
    const { url } = await cluster.admin.auth.inviteUser({ user: "vi" });
    const shown = await enter(other, url);
    await shown.goto(`${origin}/web/resources/role/deployers`);
    for (const name of ["Edit", "Lock", "Delete"]) {
      const button = shown.getByRole("button", { name, exact: true });
      await until(`${name} is off`, async () => await button.isDisabled());
      assert.match((await button.getAttribute("title")) ?? "", /none of your roles \(onlooker\)/);
    }
    await shown.goto(`${origin}/web/tokens/robot`);
    await shown.getByText("You may not see this").waitFor();
    await shown.goto(`${origin}/web/create/role`);
    await shown.getByText("You may not make one").waitFor();
  });

  /** In place of all that stands in the editor. */
  async function write(text: string): Promise<void> {
    await editor().click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText(text);
  }
});

const document = (kind: string, name: string, spec: object, version = "v1") => ({
  kind,
  version,
  metadata: { name },
  spec,
});
