// A person's own account, and the door, in a real browser.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Browser } from "#testing/browser";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { WebPerson } from "#testing/web-person";
import { WebTab } from "#testing/web-tab";

suite("a person's account, in the browser", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let tab: WebTab;
  let alice: WebPerson;
  const clock = new ManualClock(Date.now());

  before(async () => {
    cluster = await startCluster({ publicAddr: "localhost", name: "tenon.localhost", clock });
    browser = await Browser.open();
    const roles = ["editor", "auditor", "access"];
    alice = await WebPerson.make(cluster, clock, { name: "alice", roles });
    const bot = { kind: "bot", version: "v1", metadata: { name: "robot" }, spec: { roles: [] } };
    await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(bot) }] });
    tab = await WebTab.open(browser, cluster);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const signInByPassword = async (): Promise<void> => {
    await tab.page.getByLabel("User").fill("alice");
    await tab.page.getByLabel("Password").fill(alice.password);
    await tab.page.getByLabel("Code").fill(await alice.code());
    await tab.page.getByRole("button", { name: "Sign in", exact: true }).click();
  };
  const signIn = async (path = "account"): Promise<void> => {
    await tab.as(await alice.signIn());
    await tab.open(path);
  };

  test("who opens a deep link signs in by password and code, and is there", async () => {
    await tab.go("bots/robot");
    await tab.heading("Sign in");
    await signInByPassword();
    await tab.heading("robot");
    assert.equal(new URL(tab.page.url()).pathname, "/web/bots/robot");
  });

  test("a next leads inside the page, and nowhere else", async () => {
    for (const [next, path] of [
      ["/web/instances?search=rob", "/web/instances"],
      ["https://evil.example/web/", "/web/bots"],
      ["//evil.example/web/", "/web/bots"],
      ["/\\evil.example/web/", "/web/bots"],
      ["javascript:alert(1)", "/web/bots"],
      ["/v1/webapi/account", "/web/bots"],
    ] as const) {
      await tab.go(`sign-in?next=${encodeURIComponent(next)}`);
      await signInByPassword();
      await tab.page.waitForURL((url) => url.pathname === path);
      assert.equal(new URL(tab.page.url()).origin, tab.origin, next);
    }
  });

  test("one's name leads to where one is signed in, and one signs out there", async () => {
    await tab.open("bots");
    const elsewhere = await alice.signIn(
      "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    );
    await tab.page.getByRole("link", { name: "alice", exact: true }).click();
    await tab.heading("alice");
    const row = tab.page.getByRole("row").filter({ hasText: "Firefox 128 on Linux" });
    await row.getByRole("button", { name: "Sign out" }).click();
    await tab.inDialog("Sign out");
    await row.waitFor({ state: "detached" });
    assert.equal((await elsewhere.get("/v1/webapi/account")).status, 401);
    const own = tab.page.getByRole("row").filter({ hasText: "this one" });
    await own.getByText(/^Chrome \d+ on Linux/).waitFor();
    assert.equal(await own.getByRole("button").count(), 0);
    await tab.press("Sign out everywhere else");
    await tab.inDialog("Sign out");
    await tab.closed();
    assert.equal(await tab.page.getByRole("row").count(), 2);
  });

  test("a passkey is added after a second factor, signs in, and the last way in stays", async () => {
    await tab.press("Add a passkey");
    await tab.field("Name").fill("my laptop");
    await tab.inDialog("Make it");
    await tab.sees("Add a passkey needs a second factor");
    await tab.inDialog("Verify");
    await tab.field("Code of your authenticator app").fill(await alice.code());
    await tab.inDialog("Verify");
    await tab.sees("my laptop");
    await tab.press("Remove both");
    await tab.inDialog("Remove");
    await tab.sees("None. You sign in with a passkey.");
    const remove = tab.button("Remove my laptop");
    assert.equal(await remove.isDisabled(), true);
    assert.match((await remove.getAttribute("title")) ?? "", /only way in/);
    await tab.press("Set a password");
    await tab.field("New password").fill(alice.password);
    alice.totp = (await tab.page.locator("dialog code").textContent()) ?? "";
    await tab.field("Code").fill(await alice.code());
    await tab.inDialog("Save");
    await tab.sees("A code was last used");
    await tab.press("Sign out");
    await tab.heading("Sign in");
    await tab.press("Use a passkey");
    await tab.heading("Bots");
  });

  test("another password signs out wherever else one is", async () => {
    await signIn();
    const elsewhere = await alice.signIn();
    await tab.press("Change the password");
    await tab.field("New password").fill("another battery staple");
    await tab.inDialog("Save");
    await tab.inDialog("Verify");
    await tab.inDialog("Use a passkey");
    await tab.closed();
    alice.password = "another battery staple";
    assert.equal((await elsewhere.get("/v1/webapi/account")).status, 401);
  });

  test("a session that is ended elsewhere ends in the open page, which says why, and comes back", async () => {
    await signIn("instances?search=rob");
    const elsewhere = await alice.signIn();
    await elsewhere.delete("/v1/webapi/account/sessions");
    await tab.sees("You were signed out from another place.");
    assert.equal(await tab.page.getByRole("heading", { name: "Instances" }).count(), 0);
    await signInByPassword();
    await tab.heading("Instances");
    assert.equal(await tab.page.getByRole("searchbox").first().inputValue(), "rob");
  });

  test("what is being typed when the session ends is still there after signing in again", async () => {
    await signIn("bots/robot");
    await tab.press("Lock");
    await tab.field("Message").fill("stolen from the train");
    await (await alice.signIn()).delete("/v1/webapi/account/sessions");
    await tab.sees("You were signed out from another place.");
    assert.equal(await tab.page.getByText("Message").isVisible(), false);
    await tab.page.keyboard.press("Escape");
    await signInByPassword();
    await tab.page.getByRole("heading", { name: "Sign in" }).waitFor({ state: "detached" });
    assert.equal(await tab.field("Message").inputValue(), "stolen from the train");
    await tab.page.keyboard.press("Escape");
  });

  test("somebody else who signs in at the door sees nothing of what was typed", async () => {
    const bob = await WebPerson.make(cluster, clock, { name: "bob", roles: ["auditor"] });
    await signIn("bots/robot");
    await tab.press("Lock");
    await tab.field("Message").fill("alice's secret");
    await (await alice.signIn()).delete("/v1/webapi/account/sessions");
    await tab.heading("Sign in");
    await tab.page.getByLabel("User").fill("bob");
    await tab.page.getByLabel("Password").fill(bob.password);
    await tab.page.getByLabel("Code").fill(await bob.code());
    await tab.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await tab.page.getByRole("link", { name: "bob", exact: true }).waitFor();
    assert.equal(await tab.page.locator("dialog").count(), 0);
  });

  test("a lock on the person ends the open page, and the door says why to who proves to be it", async () => {
    await signIn("bots");
    const name = await cluster.lock({ user: "alice" }, "on leave");
    await tab.sees('User "alice" is locked: on leave.');
    await signInByPassword();
    await tab.page.getByRole("alert").getByText("is locked: on leave").waitFor();
    await cluster.admin.resources.delete({ kind: "lock", name });
    await signInByPassword();
    await tab.heading("Bots");
  });

  test("who lost everything gets a link by tctl users reset, and whoever had it is out", async () => {
    await signIn("bots");
    await using yard = await Yard.open();
    const words = ["users", "reset", "alice", `--data-dir=${cluster.dataDir}`];
    const told = await yard.run("tctl", words);
    assert.equal(told.code, 0, told.err);
    const [url = ""] = /https:\S+/.exec(told.out) ?? [];
    const fresh = await WebTab.open(browser, cluster);
    await fresh.page.goto(url);
    await fresh.sees("Welcome back, alice");
    await fresh.press("Make a passkey");
    await fresh.heading("Bots");
    await tab.sees("How you sign in was changed, by a link.");
    const old = { user: "alice", password: alice.password, code: await alice.code() };
    const client = await WebPerson.make(cluster, clock, { name: "carol", roles: [] });
    assert.equal((await (await client.signIn()).post("/v1/webapi/sessions", old)).status, 401);
  });
});
