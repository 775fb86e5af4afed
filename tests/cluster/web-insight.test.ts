// What the page tells of a bot: real joins on a driven clock, real connections through a real agent.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { after, before, suite, test } from "node:test";
import { generateKeyPair, MemoryKeyStore, spkiDer } from "#base/crypto";
import { silentLogger } from "#base/kernel";
import { JoinClient, MemoryJoinStorage } from "#domain/join";
import { Enrolment } from "#services/enrolment";
import { echoApplication, routeClient, type TestServer } from "#testing/applications";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";
import { codeAt, WebClient } from "#testing/web-client";
import { Heard } from "#testing/web-live";

const SITE = "/v1/webapi/sites/-";
const BOT = `${SITE}/machine-id/bot/robot`;
const HOUR_MS = 3_600_000;
const PASSWORD = "correct horse battery";

suite("what the page tells of a bot", () => {
  const clock = new ManualClock(Date.now());
  let cluster: TestCluster;
  let echo: TestServer;
  let page: WebClient;
  let machine: Enrolment;

  before(async () => {
    echo = await echoApplication();
    cluster = await startCluster({ clock });
    await cluster.put(
      user("ed", ["editor", "auditor", "access"]),
      user("vi", ["viewer"]),
      role("viewer", { rules: [{ resources: ["bot"], verbs: ["list", "read"] }] }),
      role("dev", { app_labels: { env: ["dev"] }, db_labels: { team: ["{{internal.team}}"] } }),
      role("ops", { app_labels: { env: ["dev", "prod"] } }, { app_labels: { tier: ["secret"] } }),
      db("orders", { team: "blue" }),
      db("payroll", { team: "red" }),
    );
    await cluster.serve([
      { name: "echo", uri: `tcp://127.0.0.1:${echo.port}`, labels: { env: "dev" } },
      { name: "vault", labels: { env: "dev", tier: "secret" } },
      { name: "shop", labels: { env: "prod" } },
    ]);
    machine = await enrol(["dev", "ops", "gone"]);
    page = await signIn("ed");
  });
  after(async () => {
    machine[Symbol.dispose]();
    await cluster[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });

  /** A machine that joins by a key of its own; it and the cluster share the clock. */
  const enrol = async (roles: readonly string[]): Promise<Enrolment> => {
    for (const name of roles) if (name === "gone") await cluster.put(role(name, {}));
    const traits = [{ name: "team", values: ["blue"] }];
    const bot = {
      kind: "bot",
      version: "v1",
      metadata: { name: "robot" },
      spec: { roles, traits },
    };
    const bound_keypair = { recovery: { limit: 10 } };
    const token = {
      kind: "token",
      version: "v2",
      metadata: { name: "robot" },
      spec: { roles: ["Bot"], bot_name: "robot", join_method: "bound_keypair", bound_keypair },
    };
    const documents = [bot, token].map((each) => ({ json: JSON.stringify(each) }));
    const made = await cluster.admin.resources.create({ documents });
    const { status } = JSON.parse(made.documents[1]!.json);
    const { registration_secret: registrationSecret } = status.bound_keypair;
    const storage = new MemoryJoinStorage();
    const host = { version: "1.2.3", hostname: "build-1", os: "linux", architecture: "x64" };
    const join = new JoinClient({
      settings: { method: "bound_keypair", token: "robot", registrationSecret, role: "Bot", host },
      storage,
      keys: new MemoryKeyStore(),
      clock,
      logger: silentLogger,
    });
    const { address, caPins } = cluster;
    return await Enrolment.open({ address, caPins, join, storage, clock });
  };
  const join = async (): Promise<void> => {
    await machine.join(AbortSignal.timeout(10_000));
  };

  /** As a link to recover lets in; whatever page was open before is not any more. */
  const signIn = async (name: string): Promise<WebClient> => {
    const { url } = await cluster.admin.auth.inviteUser({ user: name, recovery: true });
    const path = `/v1/webapi/invitations/${url.split("#")[1]}`;
    const client = new WebClient(cluster);
    const { totp_secret: secret } = (await client.get(path)).body;
    const taken = await client.post(path, {
      password: PASSWORD,
      code: codeAt(secret, clock.now()),
    });
    assert.equal(taken.status, 200);
    return client;
  };
  const instancesIn = async (state: string) =>
    (await page.get(`${SITE}/machine-id/bot-instance?bot_name=robot&state=${state}`)).body.items;
  const activity = async (range: string): Promise<Record<string, number>> => {
    await cluster.cluster.audit.flush();
    const { body } = await page.get(`${BOT}/activity?range=${range}`);
    return Object.fromEntries(
      body.lines.map(({ activity: name, counts }: { activity: string; counts: number[] }) => [
        name,
        counts.reduce((sum, count) => sum + count, 0),
      ]),
    );
  };
  const sessions = async () => (await page.get(`${BOT}/sessions`)).body;
  const connect = async (): Promise<{ stream: Duplex; close: () => Promise<void> }> => {
    const identity = cluster.identities.user({
      user: "bot-robot",
      roles: ["dev"],
      appName: "echo",
      botName: "robot",
      botInstanceId: instanceId(),
    });
    const client = routeClient(cluster, identity);
    const stream = await client.connect();
    stream.on("error", () => {});
    stream.write("hello");
    await once(stream, "data");
    return { stream, close: async () => await client[Symbol.asyncDispose]() };
  };
  let firstInstance = "";
  const instanceId = (): string => firstInstance;

  test("a machine that joined is active until its credentials end", async () => {
    await join();
    await join();
    const [active, ...others] = await instancesIn("active");
    assert.deepEqual(others, []);
    firstInstance = active.instance_id;
    const { expires } = machine.current!;
    assert.ok(Math.abs(Date.parse(active.credentials_end) - expires) <= 1_000);
    assert.equal(active.generation, 2);
    assert.deepEqual(await instancesIn("recent"), []);
  });

  test("what it did is counted by what it was: a join, a refresh, a certificate, a refusal", async () => {
    const { auth } = machine.client;
    const tlsPublicKey = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
    await auth.issueCertificates({ tlsPublicKey, roles: ["dev"] });
    await auth.issueCertificates({ tlsPublicKey, roles: ["dev"], appName: "echo" });
    await assert.rejects(auth.issueCertificates({ tlsPublicKey, roles: ["editor"] }));
    for (const range of ["hour", "day", "week"])
      assert.deepEqual(await activity(range), {
        join: 1,
        refresh: 1,
        recovery: 0,
        certificate: 2,
        connection: 0,
        failure: 1,
      });
  });

  test("steps are equal, begin at round times, and the last one is now", async () => {
    for (const [range, step, steps] of [
      ["hour", 60, 60],
      ["day", 1_800, 48],
      ["week", 10_800, 56],
    ] as const) {
      const { body } = await page.get(`${BOT}/activity?range=${range}`);
      assert.equal(body.step_seconds, step);
      const from = Date.parse(body.from);
      assert.equal(from % (step * 1_000), 0);
      const end = from + steps * step * 1_000;
      assert.ok(end > clock.now() && end - step * 1_000 <= clock.now());
      for (const { counts } of body.lines) assert.equal(counts.length, steps);
    }
    assert.equal((await page.get(`${BOT}/activity?range=year`)).status, 400);
  });

  test("a connection is open with its bytes so far, and then it ended, and why", async () => {
    const { stream, close } = await connect();
    const { items, open } = await sessions();
    assert.equal(open, 1);
    assert.equal(items.length, 1);
    assert.partialDeepStrictEqual(items[0], {
      app: "echo",
      instance_id: firstInstance,
      state: "open",
      ended_at: "",
      bytes_up: 5,
      bytes_down: 5,
    });
    assert.match(items[0].remote_addr, /127\.0\.0\.1/);
    assert.equal((await activity("hour"))["connection"], 1);
    await clock.advance(5_000);
    stream.end();
    await close();
    await until("it ended", async () => (await sessions()).open === 0);
    const [ended] = (await sessions()).items;
    assert.equal(ended.id, items[0].id);
    assert.partialDeepStrictEqual(ended, {
      state: "ended",
      bytes_up: 5,
      bytes_down: 5,
      reason: "",
    });
    assert.ok(Date.parse(ended.ended_at) - Date.parse(ended.started_at) >= 5_000);
    const events = await page.get(`${SITE}/events/search?session=${ended.id}&order=asc`);
    assert.deepEqual(
      events.body.items.map(({ type }: { type: string }) => type),
      ["app.session.start", "app.session.end"],
    );
  });

  test("a start whose end a crash took away is lost, and not open for ever", async () => {
    cluster.cluster.audit.emit({
      type: "app.session.start",
      actor: { kind: "bot", name: "robot", instance_id: firstInstance },
      remoteAddr: "192.0.2.7:1",
      fields: { session_id: "5f3b1d4c-0000-4000-8000-000000000000", app: "echo" },
    });
    await cluster.cluster.audit.flush();
    const { items, open } = await sessions();
    assert.equal(open, 0);
    assert.partialDeepStrictEqual(items[0], { state: "lost", ended_at: "", bytes_up: 0 });
  });

  test("sessions come page by page, the newest first, each once", async () => {
    const first = (await page.get(`${BOT}/sessions?limit=1`)).body;
    assert.equal(first.items.length, 1);
    const key = encodeURIComponent(first.next_key);
    const second = (await page.get(`${BOT}/sessions?limit=1&start_key=${key}`)).body;
    assert.equal(second.items.length, 1);
    assert.notEqual(second.items[0].id, first.items[0].id);
  });

  test("the access graph: by which roles, what, and what none of them denies", async () => {
    await cluster.store.commit([{ op: "delete", kind: "role", name: "gone" }]);
    const { stream, close } = await connect();
    const { body } = await page.get(`${BOT}/access-graph`);
    assert.deepEqual(
      body.resources.map(({ kind, name, roles, denied_by }: Record<string, unknown>) => [
        kind,
        name,
        roles,
        denied_by,
      ]),
      [
        ["app", "echo", ["dev", "ops"], []],
        ["app", "shop", ["ops"], []],
        ["app", "vault", ["dev"], ["ops"]],
        ["db", "orders", ["dev"], []],
      ],
    );
    assert.deepEqual(body.totals, {
      role: { count: 3, partial: false },
      node: { count: 0, partial: false },
      app: { count: 3, partial: false },
      db: { count: 1, partial: false },
      kube_cluster: { count: 0, partial: false },
      session: { count: 1, partial: false },
    });
    assert.equal(body.sessions[0].app, "echo");
    assert.deepEqual(body.hidden, []);
    assert.equal(body.locked, false);
    stream.end();
    await close();
  });

  test("the access graph says that a lock stops all of it, or one role", async () => {
    const graph = async () => (await page.get(`${BOT}/access-graph`)).body;
    const own = await cluster.lock({ user: "bot-robot" });
    await until("the lock is known", async () => (await graph()).locked);
    await cluster.admin.resources.delete({ kind: "lock", name: own });
    await cluster.lock({ role: "ops" });
    await until("the lock of the role is known", async () => {
      const { roles } = await graph();
      return roles.find(({ name }: { name: string }) => name === "ops").locked;
    });
    assert.equal((await graph()).locked, false);
  });

  test("who may only see bots sees no more of the graph, and nothing else", async () => {
    const viewer = await signIn("vi");
    const { status, body } = await viewer.get(`${BOT}/access-graph`);
    assert.equal(status, 200);
    assert.deepEqual(
      body.roles.map(({ name }: { name: string }) => name),
      ["dev", "ops", "gone"],
    );
    assert.deepEqual([body.resources, body.sessions], [[], []]);
    assert.deepEqual(body.hidden, ["role", "node", "app", "db", "kube_cluster", "event", "lock"]);
    for (const path of ["activity", "sessions"])
      assert.equal((await viewer.get(`${BOT}/${path}`)).status, 403, path);
    const others = [
      "events/export?format=csv",
      "machine-id/bot-instance?bot_name=robot&state=recent",
    ];
    for (const path of others)
      assert.equal((await viewer.get(`${SITE}/${path}`)).status, 403, path);
    const heard = new Heard(cluster, viewer);
    await heard.waitFor((text) => text.includes('event: hidden\ndata: {"kind":"event"}'));
    heard.close();
  });

  test("new events are heard of at once, and those of a second together", async () => {
    const heard = new Heard(cluster, page);
    await heard.waitFor((text) => text.includes("event: ready"));
    const about = () => newsIn(heard.text).filter(({ types }) => types.includes("cert.issue"));
    // The watch begins a moment after the greeting, and may have told of something else just now.
    await until("the first news", async () => {
      tell("robot");
      await cluster.cluster.audit.flush();
      await clock.advance(1_000);
      return about().length > 0;
    });
    assert.partialDeepStrictEqual(about()[0], { bots: ["robot"], all: false });
    const before = about().length;
    for (let n = 0; n < 500; n += 1) tell(n % 2 ? "robot" : "other");
    await cluster.cluster.audit.flush();
    await until("all of it is told", async () => {
      await clock.advance(1_000);
      return about().reduce((sum, { count }) => sum + count, 0) > 500;
    });
    assert.ok(about().length - before <= 3, `${about().length - before} messages`);
    assert.ok(about().some(({ bots }) => bots.toSorted().join() === "other,robot"));
    heard.close();
  });
  const tell = (bot: string): void =>
    void cluster.cluster.audit.emit({
      type: "cert.issue",
      actor: { kind: "bot", name: bot },
      fields: { roles: ["dev"], ttl_seconds: 60 },
    });

  test("an instance whose credentials ended is recent for a day; its successor is active", async () => {
    const ended = machine.current!.expires;
    await clock.advance(ended - clock.now() + 1_000);
    page = await signIn("ed");
    assert.deepEqual(await instancesIn("active"), []);
    const [recent] = await instancesIn("recent");
    assert.equal(recent.instance_id, firstInstance);
    await join();
    const [active] = await instancesIn("active");
    assert.notEqual(active.instance_id, firstInstance);
    assert.equal((await activity("day"))["recovery"], 1);
    await clock.advance(24 * HOUR_MS);
    page = await signIn("ed");
    const left = await instancesIn("recent");
    assert.deepEqual(
      left.map(({ instance_id }: { instance_id: string }) => instance_id),
      [active.instance_id],
    );
  });

  test("an instance that an older version recorded is never said to have ended lately", async () => {
    const now = clock.now();
    await cluster.put(
      oldInstance("00000000-0000-4000-8000-000000000001", now - 2 * HOUR_MS),
      oldInstance("00000000-0000-4000-8000-000000000002", now - 30 * 24 * HOUR_MS),
    );
    const of = async (state: string) =>
      (await page.get(`${SITE}/machine-id/bot-instance?bot_name=old&state=${state}`)).body.items;
    const [active, ...others] = await of("active");
    assert.equal(others.length, 0);
    assert.equal(active.credentials_end, "");
    assert.deepEqual(await of("recent"), []);
  });
});

interface News {
  readonly count: number;
  readonly types: string[];
  readonly bots: string[];
}

/** The news of events that a page heard. */
const newsIn = (text: string): News[] =>
  [...text.matchAll(/event: events\ndata: (.*)\n/g)].map(([, json]) => JSON.parse(json!) as News);

const user = (name: string, roles: readonly string[]) => ({
  kind: "user",
  version: "v1",
  metadata: { name },
  spec: { roles },
});
const role = (name: string, allow: object, deny: object = {}) => ({
  kind: "role",
  version: "v1",
  metadata: { name },
  spec: { allow, deny },
});
const db = (name: string, labels: Record<string, string>) => ({
  kind: "db",
  version: "v1",
  metadata: { name, labels },
  spec: { protocol: "postgres", uri: "db.internal:5432" },
});
const oldInstance = (id: string, joined: number) => ({
  kind: "bot_instance",
  version: "v1",
  metadata: { name: `old:${id}` },
  spec: { bot_name: "old", instance_id: id },
  status: {
    generation: 1,
    latest_authentications: [
      {
        time: new Date(joined).toISOString(),
        join_method: "token",
        token: "t",
        generation: 1,
        key_fingerprint: "",
        remote_addr: "192.0.2.1:1",
        recovery: true,
      },
    ],
  },
});
