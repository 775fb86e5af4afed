// A person's own account: where they are signed in, and with what; over real TLS.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Authenticator } from "#testing/authenticator";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";
import { codeAt, WebClient } from "#testing/web-client";
import { Heard } from "#testing/web-live";
import { WebPerson } from "#testing/web-person";

const ACCOUNT = "/v1/webapi/account";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

suite("a person's account", () => {
  let cluster: TestCluster;
  let alice: WebPerson;
  let bob: WebPerson;
  const clock = new ManualClock(Date.now());

  before(async () => {
    cluster = await startCluster({ clock });
    alice = await WebPerson.make(cluster, clock, { name: "alice", roles: ["editor"] });
    bob = await WebPerson.make(cluster, clock, { name: "bob", roles: ["access"] });
  });
  after(() => cluster[Symbol.asyncDispose]());

  const isIn = async (page: WebClient): Promise<boolean> =>
    (await page.get(ACCOUNT)).status === 200;
  const sessionsOf = async (page: WebClient): Promise<Record<string, unknown>[]> =>
    (await page.get(`${ACCOUNT}/sessions`)).body.items;
  const alone = async (person: WebPerson): Promise<WebClient> => {
    const page = await person.verified();
    assert.equal((await page.delete(`${ACCOUNT}/sessions`)).status, 200);
    return page;
  };

  test("sessions say where from, with what, since when; the own one is marked", async () => {
    const page = await alone(alice);
    await alice.signIn(FIREFOX);
    const sessions = await sessionsOf(page);
    const seen = sessions.map(({ browser, current, remote_addr }) => [
      browser,
      current,
      remote_addr,
    ]);
    assert.deepEqual(seen, [
      ["Firefox 128 on Linux", false, "127.0.0.1"],
      ["a program", true, "127.0.0.1"],
    ]);
    const { began, ends } = sessions[0]!;
    assert.equal(Date.parse(String(ends)) - Date.parse(String(began)), 3_600_000);
  });

  test("one is signed out elsewhere, or all others, or all; and each is in the audit log", async () => {
    const page = await alone(alice);
    const [two, three, four] = [await alice.signIn(), await alice.signIn(), await alice.signIn()];
    const idOf = async (of: WebClient) =>
      (await sessionsOf(of)).find(({ current }) => current)!["id"];
    const gone = await page.delete(`${ACCOUNT}/sessions/${String(await idOf(two))}`);
    assert.equal(gone.status, 200);
    assert.match((await two.get(ACCOUNT)).body.error.message, /signed out from another place/);
    assert.equal(await isIn(three), true);
    assert.equal((await page.delete(`${ACCOUNT}/sessions`)).body.ended, 2);
    assert.deepEqual([await isIn(three), await isIn(four), await isIn(page)], [false, false, true]);
    const before = (await cluster.events("user.logout")).length;
    assert.equal((await page.delete("/v1/webapi/sessions/all")).status, 200);
    assert.equal(await isIn(page), false);
    assert.equal((await cluster.events("user.logout")).length, before + 1);
  });

  test("nobody else's session is in reach, or known to be there", async () => {
    const [page, other] = [await alone(alice), await alone(bob)];
    const [theirs] = await sessionsOf(other);
    const answer = await page.delete(`${ACCOUNT}/sessions/${String(theirs!["id"])}`);
    const none = await page.delete(`${ACCOUNT}/sessions/nothing`);
    assert.deepEqual([answer.status, answer.body], [404, none.body]);
    assert.equal(await isIn(other), true);
  });

  test("an open page hears at once that its session is over, and why", async () => {
    const dora = await WebPerson.make(cluster, clock, { name: "dora", roles: ["access"] });
    const other = await alice.signIn();
    const ways: readonly (readonly [WebPerson, RegExp, (page: WebClient) => Promise<unknown>])[] = [
      [alice, /signed out from another place/, () => other.delete(`${ACCOUNT}/sessions`)],
      [bob, /you signed out everywhere/, (page) => page.delete("/v1/webapi/sessions/all")],
      [bob, /changed, by a link/, () => bob.accept(true)],
      [dora, /\\"dora\\" is locked: on leave/, () => cluster.lock({ user: "dora" }, "on leave")],
      [bob, /deleted/, () => cluster.admin.resources.delete({ kind: "user", name: "bob" })],
    ];
    for (const [person, why, end] of ways) {
      const page = await person.signIn();
      const heard = await Heard.open(cluster, page);
      await end(page);
      await heard.waitFor((text) => why.test(/event: over\ndata: (.*)/.exec(text)?.[1] ?? ""));
      await until("the stream has ended", () => heard.ended);
      assert.equal((await page.get(ACCOUNT)).body.error.signed_out, true, why.source);
    }
  });

  test("an open page that nobody uses hears when its hour is over", async () => {
    const erin = await WebPerson.make(cluster, clock, { name: "erin", roles: ["editor"] });
    const page = await erin.signIn();
    await clock.advance(50 * 60_000);
    const heard = await Heard.open(cluster, page);
    await clock.advance(10 * 60_000 + 1);
    await until("the page has heard", async () => {
      await clock.advance(100); // what has expired is swept a moment later
      return /event: over\ndata: .*not used for an hour/.test(heard.text);
    });
  });

  test("a page is told that its roles were changed, and follows by the new ones", async () => {
    const carol = await WebPerson.make(cluster, clock, { name: "carol", roles: ["editor"] });
    const page = await carol.signIn();
    const heard = await Heard.open(cluster, page);
    const user = await cluster.resources.require("user", "carol");
    await cluster.put({ ...user, spec: { ...user.spec, roles: [] } });
    await heard.waitFor((text) => text.includes("event: viewer"));
    await until("the stream has ended", () => heard.ended);
    const next = await Heard.open(cluster, page);
    assert.match(next.text, /event: hidden\ndata: \{"kind":"bot"\}/);
    next.close();
  });

  test("what a page asks by itself keeps no session open", async () => {
    const page = await alice.signIn();
    for (let minutes = 0; minutes < 60; minutes += 20) {
      const headers = { "tenon-unattended": "1" };
      assert.equal((await page.call("GET", ACCOUNT, undefined, headers)).status, 200);
      (await Heard.open(cluster, page)).close();
      await clock.advance(20 * 60_000 + 1);
    }
    assert.equal(await isIn(page), false);
  });

  test("every change of how one signs in needs a second factor of this session", async () => {
    const page = await alice.signIn();
    const answers = [
      await page.post(`${ACCOUNT}/passkeys/begin`),
      await page.post(`${ACCOUNT}/passkeys`, {
        name: "x",
        passkey: { challenge_id: "x", response: {} },
      }),
      await page.delete(`${ACCOUNT}/passkeys/x`),
      await page.post(`${ACCOUNT}/authenticator`),
      await page.put(`${ACCOUNT}/password`, { password: "another battery staple" }),
      await page.delete(`${ACCOUNT}/password`),
    ];
    for (const { status, body } of answers)
      assert.deepEqual([status, body.error.requires_mfa], [403, true]);
    assert.equal((await page.get(ACCOUNT)).body.second_factor.until, "");
    await alice.verify(page);
    const { given, until: end } = (await page.get(ACCOUNT)).body.second_factor;
    assert.equal(Date.parse(end) - Date.parse(given), 300_000);
  });

  test("a code that signed in is no second factor: it counts once", async () => {
    const code = await alice.code();
    const page = new WebClient(cluster);
    const given = { user: "alice", password: alice.password, code };
    assert.equal((await page.post("/v1/webapi/sessions", given)).status, 200);
    assert.equal((await page.post("/v1/webapi/mfa", { code })).status, 401);
    await alice.verify(page);
  });

  test("another password: the old one is good no more, and nobody is in elsewhere", async () => {
    const [page, other] = [await alice.verified(), await alice.signIn()];
    const short = await page.put(`${ACCOUNT}/password`, { password: "short" });
    assert.equal(short.body.error.code, "bad_parameter");
    assert.equal(await isIn(other), true);
    const password = "another battery staple";
    assert.equal((await page.put(`${ACCOUNT}/password`, { password })).status, 200);
    assert.deepEqual([await isIn(page), await isIn(other)], [true, false]);
    const old = { user: "alice", password: alice.password, code: await alice.code() };
    assert.equal((await new WebClient(cluster).post("/v1/webapi/sessions", old)).status, 401);
    alice.password = password;
    assert.equal(await isIn(await alice.signIn()), true);
    const told = await cluster.events("user.credentials");
    assert.equal((told.at(-1)!["fields"] as { change: string }).change, "another password");
  });

  test("another authenticator app counts once a code of it was typed; a wrong one may be corrected", async () => {
    const page = await alice.verified();
    const { challenge_id, totp_secret } = (await page.post(`${ACCOUNT}/authenticator`)).body;
    const put = async (code: string, by = page) =>
      (await by.put(`${ACCOUNT}/password`, { authenticator: { challenge_id, code } })).status;
    const elsewhere = await alice.verified();
    assert.equal(await put(codeAt(totp_secret, clock.now()), elsewhere), 401);
    assert.equal(await put("000000"), 400);
    assert.equal(await put(codeAt(totp_secret, clock.now())), 200);
    const old = { user: "alice", password: alice.password, code: await alice.code() };
    assert.equal((await new WebClient(cluster).post("/v1/webapi/sessions", old)).status, 401);
    alice.totp = totp_secret;
    assert.equal(await isIn(await alice.signIn()), true);
  });

  const originOf = async (): Promise<string> =>
    new URL((await cluster.admin.auth.inviteUser({ user: "alice" })).url).origin;

  test("a passkey is added with a name, signs in, and is removed; the last way in is not", async () => {
    const page = await alone(alice);
    const authenticator = new Authenticator(await originOf());
    const begun = await page.post(`${ACCOUNT}/passkeys/begin`);
    const response = authenticator.create(begun.body.options);
    const passkey = { challenge_id: begun.body.challenge_id, response };
    const added = await page.post(`${ACCOUNT}/passkeys`, { name: "laptop", passkey });
    assert.equal(added.status, 200);
    const again = await page.post(`${ACCOUNT}/passkeys`, { name: "laptop", passkey });
    assert.equal(again.status, 401);

    const door = new WebClient(cluster);
    const asked = await door.post("/v1/webapi/sessions/passkey/begin");
    const { challenge_id, options } = asked.body;
    const given = { challenge_id, response: authenticator.get(options) };
    assert.deepEqual((await door.post("/v1/webapi/sessions/passkey", given)).body, {
      user: "alice",
    });
    assert.equal((await door.post("/v1/webapi/sessions/passkey", given)).status, 401);
    const [shown] = (await page.get(ACCOUNT)).body.passkeys;
    assert.deepEqual([shown.name, shown.used], ["laptop", new Date(clock.now()).toISOString()]);

    assert.equal((await page.delete(`${ACCOUNT}/password`)).status, 200);
    const last = await page.delete(`${ACCOUNT}/passkeys/${authenticator.id}`);
    assert.match(last.body.error.message, /only way in/);
    const alonePassword = await page.put(`${ACCOUNT}/password`, { password: alice.password });
    assert.match(alonePassword.body.error.message, /authenticator app/);
    const app = (await page.post(`${ACCOUNT}/authenticator`)).body;
    alice.totp = app.totp_secret;
    const code = codeAt(alice.totp, clock.now());
    const authenticatorApp = { challenge_id: app.challenge_id, code };
    const both = { password: alice.password, authenticator: authenticatorApp };
    assert.equal((await page.put(`${ACCOUNT}/password`, both)).status, 200);
    assert.equal((await page.delete(`${ACCOUNT}/passkeys/${authenticator.id}`)).status, 200);
    assert.equal((await page.delete(`${ACCOUNT}/passkeys/${authenticator.id}`)).status, 404);
    assert.match((await page.delete(`${ACCOUNT}/password`)).body.error.message, /only way in/);
  });

  test("a challenge of one session is not answered in another", async () => {
    const [page, other] = [await alice.verified(), await alice.verified()];
    const { challenge_id, options } = (await page.post(`${ACCOUNT}/passkeys/begin`)).body;
    const response = new Authenticator(await originOf()).create(options);
    const body = { name: "stolen", passkey: { challenge_id, response } };
    assert.equal((await other.post(`${ACCOUNT}/passkeys`, body)).status, 401);
  });
});

test("a restart keeps sessions, and does not forgive who guesses", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tenon-account-"));
  const clock = new ManualClock(Date.now());
  try {
    const first = await startCluster({ clock, dataDir });
    const alice = await WebPerson.make(first, clock, { name: "alice", roles: ["access"] });
    const { cookie } = await alice.signIn();
    const wrong = { user: "alice", password: "guess after guess", code: "000000" };
    for (let i = 0; i < 5; i++) await new WebClient(first).post("/v1/webapi/sessions", wrong);
    await first[Symbol.asyncDispose]();

    await using second = await startCluster({ clock, dataDir });
    const page = new WebClient(second);
    page.cookie = cookie;
    assert.equal((await page.get(ACCOUNT)).status, 200);
    const guess = () => new WebClient(second).post("/v1/webapi/sessions", wrong);
    const slowed = await guess();
    assert.equal(slowed.status, 429);
    assert.match(slowed.body.error.message, /try again in 1 s/);
    await clock.advance(1_000);
    assert.equal((await guess()).status, 401);
    assert.match((await guess()).body.error.message, /try again in 2 s/);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
