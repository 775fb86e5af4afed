// `tbot api` against a stand-in for the bot on a real socket; tests/e2e/bot-api-session.test.ts has a bot.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  SpawnServiceResponseSchema,
  type BotApiService,
  type QueryRequest,
  type SpawnServiceRequest,
} from "@tenon/api/tenon/tbot/v1/bot_api";
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import { accessDenied, compareFailed, notFound, timedOut, type CodedError } from "#base/kernel";
import { withDetail } from "#base/local";
import { runCaptured } from "#testing/admin-cluster";
import { LocalBench } from "#testing/local";
import { tbot } from "./program.ts";

interface Service {
  readonly name: string;
  readonly status: string;
  readonly reason?: string;
}

const outcomeOf = (error: CodedError, services: readonly Service[]): CodedError => {
  const message = create(SpawnServiceResponseSchema, { services: [...services] });
  return withDetail(error, SpawnServiceResponseSchema, message);
};

const updatedAt = { seconds: 1_767_225_600n, nanos: 0 };
const statuses = [
  { name: "bot-api-1", type: "bot-api", status: "healthy", updatedAt },
  {
    name: "app-tunnel-1",
    type: "application-tunnel",
    status: "unhealthy",
    reason: "nobody serves it",
    updatedAt,
    spawned: true,
  },
];

let spawned: SpawnServiceRequest | undefined;
let asked: QueryRequest | undefined;
/** What the next spawn answers. */
let answer: () => { services: Service[] };

const calls: Partial<ServiceImpl<typeof BotApiService>> = {
  spawnService: (request) => {
    spawned = request;
    return answer();
  },
  stopService: ({ name }) => {
    if (name === "absent") throw notFound('no service is named "absent"');
    return {};
  },
  getConfig: () => ({ configuration: "version: v2\nservices: []\n" }),
  getServiceStatus: ({ name }) => {
    const services = statuses.filter((each) => name === "" || each.name === name);
    if (services.length === 0) throw notFound(`no service is named "${name}"`);
    return { services };
  },
  watchServices: async function* () {
    yield { event: "current", service: statuses[0]! };
    yield { event: "unhealthy", service: statuses[1]! };
  },
  watchLogs: async function* ({ service, tail, follow }) {
    yield { text: JSON.stringify({ service, tail, follow }) };
  },
  query: (request) => {
    asked = request;
    const labels = { env: "prod" };
    const node = { address: "[::1]:22", hostname: "web.example.com" };
    return { results: [{ name: "web-1", labels, ...node }, { name: "web-2" }] };
  },
};

describe("tbot api", () => {
  let bench: LocalBench;
  let env: Record<string, string>;
  before(async () => {
    bench = await LocalBench.open({ calls });
    env = { TBOT_API_SOCKET: `unix://${bench.path}` };
  });
  after(async () => await bench[Symbol.asyncDispose]());

  const api = async (line: string, stdin = "") =>
    await runCaptured(tbot, ["api", ...line.split(" ")], { env, stdin });
  const services = (): readonly Record<string, unknown>[] =>
    parse(spawned!.configuration) as Record<string, unknown>[];
  const started = (...names: readonly string[]) => ({
    services: names.map((name) => ({ name, status: "healthy" })),
  });

  describe("spawn", () => {
    before(() => (answer = () => started("identity-1")));

    it("asks for what the flags say, and tells what was started", async () => {
      const ran = await api("spawn ssh --destination /out --roles a,b --name one");
      assert.deepEqual(ran, { code: 0, out: "Started service: identity-1\n", err: "" });
      const destination = { type: "directory", path: "/out" };
      assert.deepEqual(services(), [
        { type: "identity", name: "one", destination, roles: ["a", "b"] },
      ]);
    });

    it("is also called start, and takes each alias of a service", async () => {
      for (const word of ["identity", "ssh", "id"]) {
        await api(`start ${word} --destination /out`);
        assert.equal(services()[0]!["type"], "identity");
      }
    });

    it("makes the paths of its own directory absolute, and leaves other addresses", async () => {
      await api("spawn identity --destination ./out");
      assert.deepEqual(services()[0]!["destination"], {
        type: "directory",
        path: join(process.cwd(), "out"),
      });
      await api("spawn app-tunnel --app a --listen unix://a.sock");
      assert.equal(services()[0]!["listen"], `unix://${join(process.cwd(), "a.sock")}`);
      await api("spawn app-tunnel --app a --listen tcp://127.0.0.1:0");
      assert.equal(services()[0]!["listen"], "tcp://127.0.0.1:0");
      await api("spawn identity --destination memory://");
      assert.deepEqual(services()[0]!["destination"], { type: "memory" });
    });

    it("takes what a service is about as a plain word", async () => {
      await api("spawn app-tunnel grafana --listen tcp://127.0.0.1:0");
      assert.equal(services()[0]!["app_name"], "grafana");
      const twice = await api("spawn app-tunnel grafana --app x --listen tcp://127.0.0.1:0");
      assert.equal(twice.code, 2);
      assert.match(twice.err, /"grafana" is given twice: as an argument and as --app-name/);
    });

    it("passes on how to wait", async () => {
      await api("spawn id --destination /o --skip-wait --timeout 1m30s --idempotency-key k1");
      assert.equal(spawned!.skipWait, true);
      assert.equal(spawned!.timeout?.seconds, 90n);
      assert.equal(spawned!.idempotencyKey, "k1");
      await api("spawn id --destination /o");
      assert.equal(spawned!.timeout, undefined);
    });

    const list = "- { type: ssh, destination: rel }\n- { type: app, app: a, destination: /b }\n";

    it("takes a list from a file, or from standard input", async () => {
      const file = join(bench.directory, "list.yaml");
      await writeFile(file, list);
      answer = () => started("identity-1", "app-1");
      for (const ran of [await api(`spawn -f ${file}`), await api("spawn -f -", list)]) {
        assert.equal(ran.out, "Started service: identity-1\nStarted service: app-1\n");
        assert.equal(services()[1]!["app_name"], "a");
        const { path } = services()[0]!["destination"] as { path: string };
        assert.equal(path, join(process.cwd(), "rel"));
      }
    });

    it("tells the reason of each service that does not stand, and names those that do", async () => {
      const said = [
        { name: "app-1", status: "healthy" },
        { name: "app-2", status: "unhealthy", reason: 'no agent serves application "x"' },
        { name: "app-3", status: "failed", reason: "no room" },
      ];
      answer = () => {
        throw outcomeOf(compareFailed("2 of 3 failed"), said);
      };
      assert.deepEqual(await api("spawn id --destination /o"), {
        code: 1,
        out: "Started service: app-1\n",
        err: `Error: 2 of 3 services did not start well:
  app-2: no agent serves application "x"
  app-3: no room
The bot goes on trying; to end that: tbot api stop app-2
`,
      });
    });

    it("says which one is late", async () => {
      answer = () => {
        const said = [{ name: "app-1", status: "initializing" }];
        throw outcomeOf(timedOut("one is late"), said);
      };
      assert.deepEqual(await api("spawn id --destination /o --timeout 5s"), {
        code: 3,
        out: "",
        err: `Error: 1 of 1 service did not report within 5s:
  app-1: initializing
The bot goes on trying; to end that: tbot api stop app-1
`,
      });
    });

    it("says that nothing was started when the bot does not accept the list", async () => {
      answer = () => {
        throw accessDenied('the socket does not allow services of type "identity"');
      };
      assert.deepEqual(await api("spawn id --destination /o"), {
        code: 2,
        out: "",
        err: `Error: not accepted, nothing was started:
  the socket does not allow services of type "identity"
`,
      });
    });

    const refusals: readonly (readonly [line: string, code: number, message: RegExp])[] = [
      ["spawn", 2, /name a service \(identity, .*, or give --file/],
      ["spawn app-tunel", 2, /"app-tunel" is not a service .*did you mean "app-tunnel"\?/],
      ["spawn identity", 2, /--destination: is required|must be a string/],
      [
        "spawn identity --destination /o --proxy-server x",
        2,
        /--proxy-server is of the bot itself/,
      ],
      ["spawn identity --destination /o --join-uri=x", 2, /--join-uri is of the bot itself/],
      ["spawn identity --destination /o --oneshot", 2, /--oneshot is of the bot itself/],
      ["spawn -f - identity --destination /o", 2, /give a service or --file, not both/],
      ["spawn id --destination /o --timeout soon", 2, /--timeout "soon" is not a duration/],
      ["spawn -f absent.yaml", 1, /cannot read "absent\.yaml": ENOENT/],
    ];
    for (const [line, code, message] of refusals)
      it(`refuses: ${line}`, async () => {
        spawned = undefined;
        const ran = await api(line);
        assert.match(ran.err, message);
        assert.equal(ran.code, code);
        assert.equal(spawned, undefined);
      });

    it("refuses a list with faults before the bot sees it, with the place of each", async () => {
      spawned = undefined;
      const ran = await api("spawn -f -", "- type: ssh\n  destinaton: /o\n- type: nothing\n");
      assert.equal(ran.code, 2);
      assert.match(ran.err, /^Error: not accepted, nothing was started:\n/);
      assert.match(ran.err, /standard input:2:3: .*did you mean "destination"/);
      assert.match(ran.err, /standard input:3:9: /);
      assert.equal(spawned, undefined);
    });
  });

  describe("stop", () => {
    it("ends every one that is named, and tells of those that are not there", async () => {
      assert.deepEqual(await api("stop a absent b"), {
        code: 1,
        out: "Stopped service: a\nStopped service: b\n",
        err: 'Error: no service is named "absent"\n',
      });
    });
  });

  describe("status", () => {
    it("is a table, or documents for programs", async () => {
      const { out } = await api("status");
      assert.equal(
        out,
        `Name          Type                Status     Since                 From   Reason
------------  ------------------  ---------  --------------------  -----  ----------------
bot-api-1     bot-api             healthy    2026-01-01T00:00:00Z  start
app-tunnel-1  application-tunnel  unhealthy  2026-01-01T00:00:00Z  api    nobody serves it
`,
      );
      const all = JSON.parse((await api("status --format json")).out) as object[];
      assert.equal(all.length, 2);
      assert.deepEqual(JSON.parse((await api("status app-tunnel-1 --format json")).out), {
        name: "app-tunnel-1",
        type: "application-tunnel",
        status: "unhealthy",
        reason: "nobody serves it",
        spawned: true,
        updated_at: "2026-01-01T00:00:00.000Z",
      });
      assert.equal((parse((await api("status --format yaml")).out) as object[]).length, 2);
    });

    it("knows only services that are there", async () => {
      const ran = await api("status absent");
      assert.deepEqual([ran.code, ran.out], [1, ""]);
      assert.match(ran.err, /no service is named "absent"/);
      assert.equal((await api("status absent --watch")).code, 1);
    });

    it("goes on with a line for each change", async () => {
      assert.equal(
        (await api("status --watch")).out,
        `2026-01-01T00:00:00Z  healthy       bot-api-1
2026-01-01T00:00:00Z  unhealthy     app-tunnel-1: nobody serves it
`,
      );
      const { out } = await api("status app-tunnel-1 --watch --format json");
      assert.deepEqual(
        out
          .trim()
          .split("\n")
          .map((line) => (JSON.parse(line) as { event: string }).event),
        ["unhealthy"],
      );
    });
  });

  it("config prints what the bot says", async () =>
    assert.equal((await api("config")).out, "version: v2\nservices: []\n"));

  it("logs asks for the lines that are wanted", async () => {
    const { out } = await api("logs --service x --tail 5 -f");
    assert.deepEqual(JSON.parse(out), { service: "x", tail: 5, follow: true });
    assert.equal((await api("logs --tail none")).code, 2);
  });

  describe("query", () => {
    it("prints names for a shell's loop, by labels", async () => {
      const { out } = await api("query apps --label env=prod --label team=*");
      assert.equal(out, "web-1\nweb-2\n");
      assert.equal(asked!.kind, "apps");
      assert.deepEqual(asked!.labels, { env: "prod", team: "*" });
    });

    it("knows several words for a kind", async () => {
      for (const [word, kind] of [
        ["node", "nodes"],
        ["database", "databases"],
        ["k8s", "kube"],
      ] as const) {
        await api(`query ${word}`);
        assert.equal(asked!.kind, kind);
      }
    });

    it("prints documents for programs, without what is empty", async () => {
      const found = [
        {
          name: "web-1",
          labels: { env: "prod" },
          address: "[::1]:22",
          hostname: "web.example.com",
        },
        { name: "web-2", labels: {} },
      ];
      assert.deepEqual(JSON.parse((await api("query nodes --format json")).out), found);
      assert.deepEqual(parse((await api("query nodes --format yaml")).out), found);
    });

    it("prints an inventory for Ansible, of nodes", async () => {
      assert.deepEqual(parse((await api("query nodes --format ansible")).out), {
        all: {
          hosts: {
            "web-1": {
              ansible_host: "::1",
              ansible_port: 22,
              tenon_hostname: "web.example.com",
              tenon_labels: { env: "prod" },
            },
            "web-2": { tenon_labels: {} },
          },
        },
      });
      const ran = await api("query databases --format ansible");
      assert.equal(ran.code, 2);
      assert.match(ran.err, /an Ansible inventory is of nodes/);
    });

    it("refuses a kind that is none", async () => {
      const ran = await api("query databses");
      assert.equal(ran.code, 2);
      assert.match(ran.err, /allowed: nodes, apps, databases, kube; did you mean "databases"\?/);
    });
  });

  describe("without a bot", () => {
    it("says which socket it looked for, and what should be there", async () => {
      for (const [line, from] of [
        ["status", "TBOT_API_SOCKET names it"],
        ["status --socket /nowhere/x.sock", "--socket names it"],
      ] as const) {
        const ran = await runCaptured(tbot, ["api", ...line.split(" ")], {
          env: { TBOT_API_SOCKET: "/nowhere/x.sock" },
        });
        assert.equal(ran.code, 1);
        assert.match(ran.err, /cannot use the socket "\/nowhere\/x\.sock"/);
        assert.match(ran.err, /does `tbot start bot-api` run/);
        assert.ok(ran.err.includes(from));
      }
    });

    it("looks where a bot listens by default when no socket is named", async () => {
      const ran = await runCaptured(tbot, ["api", "status"], {
        env: { XDG_RUNTIME_DIR: "/nowhere" },
      });
      assert.equal(ran.code, 1);
      assert.match(ran.err, /cannot use the socket "\/nowhere\/tenon\/bot-api\.sock"/);
      assert.match(ran.err, /it is the default/);
    });

    it("a spawn that reaches nobody is not a refusal", async () => {
      const ran = await runCaptured(tbot, "api spawn id --destination /o".split(" "), {
        env: { TBOT_API_SOCKET: "/nowhere/x.sock" },
      });
      assert.equal(ran.code, 1);
      assert.doesNotMatch(ran.err, /not accepted/);
    });
  });

  describe("tbot wait", () => {
    const wait = async (...words: readonly string[]) =>
      await runCaptured(tbot, ["wait", ...words], { env });

    it("waits by the socket until a service is healthy", async () => {
      const ran = await wait("--service", "bot-api-1");
      assert.equal(ran.code, 0);
      const document = JSON.parse(ran.out) as { status: string; services: object };
      assert.equal(document.status, "healthy");
      assert.deepEqual(Object.keys(document.services), ["bot-api-1"]);
    });

    it("says why it gave up", async () => {
      const ran = await wait("--socket", bench.path, "--timeout", "1s");
      assert.equal(ran.code, 1);
      assert.match(ran.err, /not ready after 1s: .*nobody serves it/);
    });

    it("does not wait for a service that is not there", async () => {
      const ran = await wait("--service", "absent");
      assert.equal(ran.code, 1);
      assert.match(ran.err, /no service is named "absent"/);
    });

    it("takes one way to the bot", async () => {
      const two = await wait("--socket", bench.path, "--diag-addr", "127.0.0.1:1");
      assert.equal(two.code, 2);
    });
  });
});
