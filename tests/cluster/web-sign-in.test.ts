// People sign in to the page's endpoints: over real TLS, against a whole cluster.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { codeAt, WebClient } from "#testing/web-client";

const PASSWORD = "correct horse battery";
const STEP_MS = 30_000;

suite("signing in to the web page", () => {
  let cluster: TestCluster;
  let secret = "";
  const clock = new ManualClock(Date.now());

  before(async () => {
    cluster = await startCluster({ clock });
    await cluster.put(user("alice", ["editor", "auditor", "access"]), user("bob", ["access"]));
  });
  after(() => cluster[Symbol.asyncDispose]());

  const inviteOf = async (name: string, recovery = false): Promise<string> => {
    const { url } = await cluster.admin.auth.inviteUser({ user: name, recovery });
    return url.split("#")[1]!;
  };
  /** A code that was not used: the next time step. */
  const nextCode = async (of = secret): Promise<string> => {
    await clock.advance(STEP_MS);
    return codeAt(of, clock.now());
  };

  test("an invitation is shown, taken up with a password and a code, and signs in", async () => {
    const token = await inviteOf("alice");
    const page = new WebClient(cluster);
    const shown = await page.get(`/v1/webapi/invitations/${token}`);
    assert.equal(shown.status, 200);
    assert.equal(shown.body.user, "alice");
    assert.match(shown.body.totp_uri, /^otpauth:\/\/totp\//);
    secret = shown.body.totp_secret;
    const short = await page.post(`/v1/webapi/invitations/${token}`, {
      password: "short",
      code: await nextCode(),
    });
    assert.equal(short.body.error.code, "bad_parameter");
    const wrong = await page.post(`/v1/webapi/invitations/${token}`, {
      password: PASSWORD,
      code: "000000",
    });
    assert.equal(wrong.status, 400);
    const taken = await page.post(`/v1/webapi/invitations/${token}`, {
      password: PASSWORD,
      code: await nextCode(),
    });
    assert.deepEqual(taken.body, { user: "alice" });
    assert.match(String(taken.headers["set-cookie"]), /^__Host-tenon=.*HttpOnly.*SameSite=Strict/i);
    assert.match(String(taken.headers["set-cookie"]), /Secure/);
    const context = await page.get("/v1/webapi/sites/-/context");
    assert.equal(context.body.user, "alice");
    assert.ok(context.body.access.bot.includes("create"));
    const again = await page.get(`/v1/webapi/invitations/${token}`);
    assert.equal(again.body.error.code, "not_found");
  });

  test("name, password and code sign in; a code counts once", async () => {
    const page = new WebClient(cluster);
    const given = { user: "alice", password: PASSWORD, code: await nextCode() };
    assert.equal((await page.post("/v1/webapi/sessions", given)).status, 200);
    assert.equal((await page.get("/v1/webapi/sites/-/context")).status, 200);
    const replayed = await new WebClient(cluster).post("/v1/webapi/sessions", given);
    assert.equal(replayed.status, 401);
  });

  test("whatever is wrong, the answer is the same", async () => {
    const wrong = [
      { user: "nobody", password: PASSWORD, code: await nextCode() },
      { user: "alice", password: "another password", code: await nextCode() },
      { user: "alice", password: PASSWORD, code: "000000" },
      { user: "bob", password: PASSWORD, code: "000000" },
    ];
    const replies = [];
    for (const given of wrong)
      replies.push(await new WebClient(cluster).post("/v1/webapi/sessions", given));
    for (const reply of replies) {
      assert.equal(reply.status, 401);
      assert.deepEqual(reply.body, replies[0]!.body);
    }
    const told = await cluster.events("user.login.failed");
    const reasons = new Set(told.map((event) => (event["fields"] as { reason: string }).reason));
    assert.ok(reasons.has("unknown user") && reasons.has("wrong password"));
  });

  test("who keeps guessing must wait, and longer each time", async () => {
    await clock.advance(3_600_000);
    const guess = () =>
      new WebClient(cluster).post("/v1/webapi/sessions", {
        user: "bob",
        password: "guess after guess",
        code: "000000",
      });
    for (let i = 0; i < 5; i++) assert.equal((await guess()).status, 401);
    const slowed = await guess();
    assert.equal(slowed.status, 429);
    assert.match(slowed.body.error.message, /try again in 1 s/);
    await clock.advance(1_000);
    assert.equal((await guess()).status, 401);
    assert.match((await guess()).body.error.message, /try again in 2 s/);
    await clock.advance(3_600_000);
  });

  test("a request of another page is refused", async () => {
    const page = new WebClient(cluster);
    const given = { user: "alice", password: PASSWORD, code: await nextCode() };
    const headers = { origin: "https://elsewhere.example" };
    const reply = await page.call("POST", "/v1/webapi/sessions", given, headers);
    assert.equal(reply.body.error.code, "access_denied");
    assert.equal(page.cookie, "");
  });

  const signIn = async (): Promise<WebClient> => {
    const page = new WebClient(cluster);
    const given = { user: "alice", password: PASSWORD, code: await nextCode() };
    assert.equal((await page.post("/v1/webapi/sessions", given)).status, 200);
    return page;
  };
  const isIn = async (page: WebClient): Promise<boolean> =>
    (await page.get("/v1/webapi/sites/-/context")).status === 200;

  test("signing out ends this session, or all of them", async () => {
    const [one, two, three] = [await signIn(), await signIn(), await signIn()];
    const before = one.cookie;
    assert.equal((await one.delete("/v1/webapi/sessions")).status, 200);
    one.cookie = before;
    assert.equal(await isIn(one), false);
    assert.equal(await isIn(two), true);
    assert.equal((await two.delete("/v1/webapi/sessions/all")).status, 200);
    assert.equal(await isIn(three), false);
  });

  test("a session ends an hour after its last use, and twelve after its beginning", async () => {
    const page = await signIn();
    for (let hours = 0; hours < 11.5; hours += 0.9) {
      await clock.advance(0.9 * 3_600_000);
      assert.equal(await isIn(page), hours + 0.9 < 12, `after ${hours + 0.9} h`);
    }
    const idle = await signIn();
    await clock.advance(3_600_001);
    assert.equal(await isIn(idle), false);
  });

  test("a lock ends the session at once, is explained at the door, and gives no session back", async () => {
    const page = await signIn();
    const name = await cluster.lock({ user: "alice" }, "on leave");
    const refused = await page.get("/v1/webapi/sites/-/machine-id/bot");
    assert.equal(refused.status, 401);
    assert.equal(refused.body.error.signed_out, true);
    assert.match(refused.body.error.message, /locked: on leave/);
    const given = { user: "alice", password: PASSWORD, code: await nextCode() };
    const door = new WebClient(cluster);
    const locked = await door.post("/v1/webapi/sessions", given);
    assert.equal(locked.status, 403);
    assert.match(locked.body.error.message, /locked: on leave/);
    assert.equal(door.cookie, "");
    const stranger = await door.post("/v1/webapi/sessions", { ...given, password: "a stranger's" });
    assert.doesNotMatch(stranger.body.error.message, /leave/);
    await cluster.admin.resources.delete({ kind: "lock", name });
    assert.equal(await isIn(page), false);
  });

  test("an action of an administrator needs a second factor, which counts for a while", async () => {
    const page = await signIn();
    const make = (name: string) =>
      page.post("/v1/webapi/sites/-/machine-id/bot", { name, roles: ["access"] });
    const first = await make("robot");
    assert.equal(first.status, 403);
    assert.equal(first.body.error.requires_mfa, true);
    const asked = await page.post("/v1/webapi/mfa/begin");
    assert.deepEqual(asked.body, { totp: true });
    assert.equal((await page.post("/v1/webapi/mfa", { code: "000000" })).status, 401);
    assert.equal((await page.post("/v1/webapi/mfa", { code: await nextCode() })).status, 200);
    assert.equal((await make("robot")).status, 200);
    assert.equal((await make("second")).status, 200);
    const other = await signIn();
    const elsewhere = await other.delete("/v1/webapi/sites/-/machine-id/bot/second");
    assert.equal(elsewhere.body.error.requires_mfa, true);
    await clock.advance(300_001);
    assert.equal((await make("third")).body.error.requires_mfa, true);
  });

  test("a recovery replaces the password and ends the sessions", async () => {
    const page = await signIn();
    const old = secret;
    const token = await inviteOf("alice", true);
    const fresh = new WebClient(cluster);
    const shown = await fresh.get(`/v1/webapi/invitations/${token}`);
    secret = shown.body.totp_secret;
    const password = "another battery staple";
    const code = await nextCode();
    const taken = await fresh.post(`/v1/webapi/invitations/${token}`, { password, code });
    assert.equal(taken.status, 200);
    assert.equal(await isIn(page), false);
    const given = { user: "alice", password: PASSWORD, code: await nextCode(old) };
    assert.equal((await fresh.post("/v1/webapi/sessions", given)).status, 401);
  });

  test("a person who was deleted is out, and one of the same name inherits nothing", async () => {
    const token = await inviteOf("bob");
    const page = new WebClient(cluster);
    const shown = await page.get(`/v1/webapi/invitations/${token}`);
    const code = await nextCode(shown.body.totp_secret);
    await page.post(`/v1/webapi/invitations/${token}`, { password: PASSWORD, code });
    assert.equal(await isIn(page), true);
    await cluster.admin.resources.delete({ kind: "user", name: "bob" });
    assert.equal(await isIn(page), false);
    await cluster.put(user("bob", ["access"]));
    assert.equal(await isIn(page), false);
    const again = { user: "bob", password: PASSWORD, code: await nextCode(shown.body.totp_secret) };
    assert.equal((await page.post("/v1/webapi/sessions", again)).status, 401);
  });
});

const user = (name: string, roles: readonly string[]) => ({
  kind: "user",
  version: "v1",
  metadata: { name },
  spec: { roles },
});
