// The web page in a real browser, against a real cluster; the user stories are in web-stories.test.ts.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { Browser } from "#testing/browser";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";
import { WebTab } from "#testing/web-tab";

suite("the web page", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let person: WebTab;

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
    const spec = { roles: ["access", "auditor"] };
    const document = { kind: "bot", version: "v1", metadata: { name }, spec };
    await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(document) }] });
  };

  test("an invitation: a passkey is made, signs in, and leads to the bots", async () => {
    person = await WebTab.enter(browser, cluster);
    await person.page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    await person.page.getByRole("link", { name: "robot", exact: true }).waitFor();
    assert.equal(new URL(person.page.url()).hash, "");
  });

  test("nothing of the session is in reach of a script", async () => {
    const seen = await person.page.evaluate("[document.cookie, localStorage.length]");
    assert.deepEqual(seen, ["", 0]);
  });

  test("a change that somebody else overtook is refused, and nothing is lost", async () => {
    await person.settle("bots/robot");
    await person.press("Edit");
    const current = await cluster.resources.require("bot", "robot");
    const changed = { ...current, spec: { ...current.spec, max_session_ttl: "1h" } };
    await cluster.admin.resources.update({ documents: [{ json: JSON.stringify(changed) }] });
    await person.inDialog("Remove auditor");
    await person.inDialog("Save");
    await person.inDialog("Verify");
    await person.inDialog("Use a passkey");
    await person.page.getByText("somebody else was first").waitFor();
    await person.page.keyboard.press("Escape");
    const after = await cluster.resources.require("bot", "robot");
    assert.deepEqual(after.spec.roles, ["access", "auditor"]);
  });

  test("a machine that joins appears by itself", async () => {
    await person.page.getByText("No machine is this bot now").waitFor();
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
    await person.page.getByRole("link", { name: id.slice(0, 8) }).waitFor();
    await person.page.getByRole("link", { name: id.slice(0, 8) }).click();
    await person.page.getByRole("heading", { name: id }).waitFor();
  });

  test("the address bar is the state: a search is there after a reload", async () => {
    await person.settle("bots");
    await person.page.getByRole("searchbox").fill("rob");
    await person.page.waitForURL(/search=rob/);
    await person.page.reload();
    assert.equal(await person.page.getByRole("searchbox").inputValue(), "rob");
  });

  test("every page opens, without an error in the browser", async () => {
    const errors: string[] = [];
    person.page.on("pageerror", (error) => errors.push(error.message));
    person.page.on("console", (message) => {
      if (message.type() === "error" && !/403|INCOMPLETE/.test(message.text()))
        errors.push(message.text());
    });
    const paths = ["instances", "tokens", "locks", "audit", "cluster"];
    const kinds = ["role", "user", "app", "node", "db"];
    for (const path of [...paths, ...kinds.map((kind) => `resources/${kind}`)])
      await person.settle(path);
    assert.deepEqual(errors, []);
  });

  test("signing out leads to the door, and the passkey opens it again", async () => {
    await person.settle("bots");
    await person.press("Sign out");
    await person.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await person.page.goBack();
    await person.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await person.press("Use a passkey");
    await person.page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
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
    await person.press("Sign out");
    await person.page.goto(url);
    await person.press("Make a passkey");
    await person.page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    await person.settle("bots/robot");
    const edit = person.page.getByRole("button", { name: "Edit", exact: true });
    await until("the button is off", async () => await edit.isDisabled());
    assert.match((await edit.getAttribute("title")) ?? "", /none of your roles \(viewer\)/);
    await person.page.getByText("You may not see this").first().waitFor();
  });
});
