// The list of instances as the page asks for it: sorted, searched, filtered, paged and counted.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startCluster, type TestCluster } from "#testing/cluster";
import { verifiedClient, type WebClient } from "#testing/web-client";

const LIST = "/v1/webapi/sites/-/machine-id/bot-instance";
const COUNT = 60;

suite("the list of instances", () => {
  let cluster: TestCluster;
  let editor: WebClient;

  before(async () => {
    cluster = await startCluster();
    const viewer = { rules: [{ resources: ["bot"], verbs: ["list", "read"] }] };
    await cluster.put(
      document("user", "ed", { roles: ["editor"] }),
      document("user", "vi", { roles: ["viewer"] }),
      document("role", "viewer", { allow: viewer }),
      ...Array.from({ length: COUNT }, (_, i) => instance(i)),
    );
    editor = await verifiedClient(cluster, "ed");
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** The numbers of the instances, page by page. */
  const numbers = async (query: string, limit = 7): Promise<readonly number[]> => {
    const found: number[] = [];
    for (let key = ""; ;) {
      const start = key === "" ? "" : `&start_key=${encodeURIComponent(key)}`;
      const { body } = await editor.get(`${LIST}?limit=${limit}&${query}${start}`);
      for (const { instance_id } of body.items as Shown[]) found.push(numberOf(instance_id));
      key = String(body.next_key);
      if (key === "") return found;
    }
  };
  const wanted = (test: (i: number) => boolean): number[] =>
    Array.from({ length: COUNT }, (_, i) => i).filter(test);
  const byActivity = (list: readonly number[]): number[] =>
    list.toSorted((a, b) => activity(a) - activity(b));
  const byName = (list: readonly number[]): number[] =>
    list.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));

  test("comes by name, by last activity and by first sight, in both orders", async () => {
    const all = wanted(() => true);
    assert.deepEqual(await numbers(""), byName(all));
    assert.deepEqual(await numbers("sort=name&order=desc"), byName(all).toReversed());
    assert.deepEqual(await numbers("sort=last_active_at&order=asc"), byActivity(all));
    const latest = byActivity(all).toReversed();
    assert.deepEqual(await numbers("sort=last_active_at&order=desc"), latest);
    assert.deepEqual(await numbers("sort=first_seen_at"), all);
  });

  const sought: readonly (readonly [query: string, (i: number) => boolean])[] = [
    ["search=even", isEven],
    ["search=EVEN", isEven],
    ["search=host-7", (i) => i === 7],
    ["search=000000000019", (i) => i === 0x19],
    ["search=1.1", (i) => i % 3 === 0],
    ["search=h", () => true],
    ["search=nowhere", () => false],
    ["bot_name=even", isEven],
    ["bot_name=eve", () => false],
    ["version=1.1.0", (i) => i % 3 === 0],
    ["version=1.1", () => false],
    ["health=failed", (i) => i % 10 === 0],
    ["os=darwin", (i) => i % 20 === 0],
    ["join_method=github", (i) => i % 5 === 0],
    ["bot_name=&version=&health=", () => true],
    ["bot_name=even&health=failed&version=1.1.0", (i) => isEven(i) && i % 30 === 0],
    ["bot_name=even&search=host-1", (i) => isEven(i) && hostOf(i).toLowerCase().includes("host-1")],
    ["os=linux&join_method=github&search=odd", (i) => !isEven(i) && i % 5 === 0],
  ];
  for (const [query, test_] of sought)
    test(`finds ${query} whatever the order`, async () => {
      assert.deepEqual(await numbers(query), byName(wanted(test_)));
      const latest = byActivity(wanted(test_)).toReversed();
      assert.deepEqual(await numbers(`${query}&sort=last_active_at&order=desc`), latest);
    });

  test("is counted by version, health, system and join method", async () => {
    const { body } = await editor.get(`${LIST}/summary`);
    assert.equal(body.total, COUNT);
    assert.deepEqual(body.version, [
      { value: "1.0.0", count: 40 },
      { value: "1.1.0", count: 20 },
    ]);
    assert.deepEqual(body.health, [
      { value: "healthy", count: 54 },
      { value: "failed", count: 6 },
    ]);
    assert.deepEqual(body.os[1], { value: "darwin", count: 3 });
    assert.deepEqual(body.join_method[1], { value: "github", count: 12 });
  });

  test("follows a heartbeat of another version, and a deletion", async () => {
    const changed = instance(1, "2.0.0");
    await cluster.put(changed);
    assert.deepEqual(await numbers("version=2.0.0"), [1]);
    assert.deepEqual(await numbers("version=2.0.0&sort=last_active_at"), [1]);
    const { body } = await editor.get(`${LIST}/summary`);
    assert.deepEqual(body.version.at(-1), { value: "2.0.0", count: 1 });
    await cluster.store.commit([{ op: "delete", kind: "bot_instance", name: nameOf(1) }]);
    assert.deepEqual(await numbers("version=2.0.0"), []);
    assert.equal((await editor.get(`${LIST}/summary`)).body.total, COUNT - 1);
    await cluster.put(instance(1));
  });

  test("refuses a sort that there is not, and whoever may not list instances", async () => {
    const wrong = await editor.get(`${LIST}?sort=hostname`);
    assert.equal(wrong.status, 400);
    assert.match(wrong.body.error.message, /last_active_at, first_seen_at/);
    const viewer = await verifiedClient(cluster, "vi");
    for (const path of [LIST, `${LIST}/summary`]) {
      const { status, body } = await viewer.get(path);
      assert.equal(status, 403);
      assert.equal(body.error.code, "access_denied");
    }
  });
});

type Shown = Record<"instance_id", string>;

function isEven(i: number): boolean {
  return i % 2 === 0;
}
const botOf = (i: number): string => (isEven(i) ? "even" : "odd");
const hostOf = (i: number): string => `Host-${i}.example`;
const idOf = (i: number): string => `00000000-0000-4000-8000-${i.toString(16).padStart(12, "0")}`;
const numberOf = (id: string): number => Number.parseInt(id.slice(-12), 16);
const nameOf = (i: number): string => `${botOf(i)}:${idOf(i)}`;
/** Minutes; each of them once. */
const activity = (i: number): number => (i * 17) % COUNT;

const document = (kind: string, name: string, spec: object) => ({
  kind,
  version: "v1",
  metadata: { name },
  spec,
});

function instance(i: number, version = i % 3 === 0 ? "1.1.0" : "1.0.0") {
  const at = (minutes: number): string =>
    new Date(1_760_000_000_000 + minutes * 60_000).toISOString();
  const join = {
    time: at(i - COUNT),
    join_method: i % 5 === 0 ? "github" : "bound_keypair",
    token: "t",
    generation: 1,
    key_fingerprint: "",
    remote_addr: "",
    recovery: false,
  };
  const beat = {
    time: at(activity(i)),
    version,
    hostname: hostOf(i),
    os: i % 20 === 0 ? "darwin" : "linux",
    architecture: "x64",
    uptime_seconds: 1,
    one_shot: false,
    kind: "tbot",
    configuration: "",
  };
  const status = i % 10 === 0 ? "failed" : "healthy";
  return {
    ...document("bot_instance", nameOf(i), { bot_name: botOf(i), instance_id: idOf(i) }),
    status: {
      generation: 1,
      initial_authentication: join,
      latest_authentications: [join],
      latest_heartbeats: [beat],
      service_health: [{ name: "a", type: "identity", status, updated_at: beat.time }],
    },
  };
}
