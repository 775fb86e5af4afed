// The bot's command line as people and scripts use it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { closedPort, listen } from "#testing/applications";
import { Yard, type Ran } from "#testing/processes";
import { RealCluster } from "#testing/real-cluster";

let yard: Yard;
let cluster: RealCluster;

before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
});
after(async () => {
  await yard[Symbol.asyncDispose]();
});

const tbot = async (...words: readonly string[]): Promise<Ran> => await yard.run("tbot", words);

const withFile = async (text: string): Promise<string> => {
  const file = yard.path("tbot.yaml");
  await writeFile(file, text);
  return file;
};

describe("tbot validate", () => {
  const validate = async (text: string): Promise<Ran> =>
    await tbot("validate", "-c", await withFile(text));

  test("says what a good file holds", async () => {
    const ran = await validate(`
proxy_server: tenon.example.com:3080
onboarding: { token: ci }
services:
  - { type: ssh, destination: ./out }
  - { type: app-tunnel, app: grafana, listen: "tcp://127.0.0.1:3000" }
`);
    assert.deepEqual([ran.code, ran.err], [0, ""]);
    assert.match(ran.out, /is valid: 2 service\(s\)/);
  });

  test("names line, column, path and the nearest name of every fault at once", async () => {
    const { code, out, err } = await validate(`proxy_server: tenon.example.com:3080
onboarding:
  token: ci
  join_method: bound-keypear
credential_ttl: soon
services:
  - type: application
    app_nam: grafana
    destination: ./out
  - type: aplication-tunnel
`);
    assert.deepEqual([code, out], [1, ""]);
    const places = [...err.matchAll(/tbot\.yaml:(\d+:\d+): (\S+):/g)].map(
      ([, at, path]) => `${at} ${path}`,
    );
    assert.deepEqual(places, [
      "4:16 onboarding.join_method",
      "5:17 credential_ttl",
      "8:5 services[0].app_nam",
      "10:11 services[1].type",
    ]);
    for (const meant of ["bound_keypair", "app_name", "application-tunnel"])
      assert.match(err, new RegExp(`did you mean "${meant}"`));
  });

  test("places what two fields together make wrong", async () => {
    const { code, err } = await validate(`proxy_server: a:1
auth_server: b:2
renewal_interval: 2h
services:
  - { type: identity, destination: /x }
  - { type: identity, destination: /x/ }
`);
    assert.equal(code, 1);
    for (const place of [
      "2:14: auth_server",
      "3:19: renewal_interval",
      "6:36: services[1].destination",
    ])
      assert.ok(err.includes(`tbot.yaml:${place}: `), `${place} in ${err}`);
  });

  test("takes no file that is not there, and no call without one", async () => {
    const absent = await tbot("validate", "-c", yard.path("absent.yaml"));
    assert.equal(absent.code, 1);
    assert.match(absent.err, /cannot read ".*absent\.yaml": ENOENT/);
    assert.equal((await tbot("validate")).code, 2);
  });
});

describe("tbot schema", () => {
  test("is a JSON Schema that takes good files and refuses bad ones", async () => {
    const { code, out } = await tbot("schema");
    assert.equal(code, 0);
    const schema = JSON.parse(out) as Parameters<typeof z.fromJSONSchema>[0] & { $schema: string };
    assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
    const checked = z.fromJSONSchema(schema);
    const services = [{ type: "identity", destination: "/out" }];
    assert.ok(checked.safeParse({ proxy_server: "a:1", services }).success);
    assert.ok(!checked.safeParse({ proxy_sever: "a:1" }).success);
    assert.ok(!checked.safeParse({ services: [{ type: "identity" }] }).success);
    assert.ok(!checked.safeParse({ services: [{ type: "nothing", destination: "/out" }] }).success);
  });
});

describe("tbot configure", () => {
  test("prints a file that tbot start takes, and that gives the same", async () => {
    const uri = await cluster.addBot("configured");
    const arguments_ = [
      "ssh",
      `--join-uri=${uri}`,
      `--destination=${yard.path("configured")}`,
      `--storage=${yard.path("configured-state")}`,
      "--credential-ttl=30m",
      "--renewal-interval=10m",
      "--oneshot",
    ];
    const { code, out } = await tbot("configure", ...arguments_);
    assert.equal(code, 0);
    assert.match(out, /^version: v2$/m);
    const file = await withFile(out);
    const again = await tbot("configure", "-c", file);
    assert.equal(again.out, out);
    assert.equal((await tbot("validate", "-c", file)).code, 0);
    const ran = await tbot("start", "-c", file);
    assert.equal(ran.code, 0, ran.err);
    assert.ok(existsSync(yard.path("configured/tlscert")));
  });

  test("may be incomplete, but not contradictory", async () => {
    assert.equal((await tbot("configure")).code, 0);
    const { code, err } = await tbot("configure", "--proxy-server=a:1", "--auth-server=b:2");
    assert.equal(code, 2, err);
    assert.match(err, /--auth-server.*second address/);
  });
});

describe("usage", () => {
  for (const [words, message] of [
    [["start"], /no address.*--proxy-server[\s\S]*no join token/],
    [["start", "--proxy-server=a:1"], /no join token/],
    [["start", "--nonsense"], /unknown option '--nonsense'/],
    [["start", "--renewal-intervall", "1h"], /Did you mean --renewal-interval\?/],
    [["start", "identitty"], /"identitty" is neither a service \(identity, .*\) nor a join URI/],
    [["start", "--credential-ttl=long", "--proxy-server=a:1"], /--credential-ttl/],
    [["start", "--log-format=xml"], /text, json/],
    [["start", "tbot+proxy+token://x@a:1", "--join-uri=y"], /given twice/],
    [["start", "app-tunnel", "--app-name=a"], /--listen: is required/],
    [["wait", "--diag-addr=a:1", "--socket=/x"], /--diag-addr/],
    [["wait", "--diag-addr=nowhere"], /--diag-addr "nowhere" is not an address/],
    [["wait", "--diag-addr=a:1", "--timeout=soon"], /"soon" is not a duration/],
    [["nonsense"], /unknown command 'nonsense'/],
  ] as const)
    test(`tbot ${words.join(" ")} is refused with 2`, async () => {
      const { code, out, err } = await tbot(...words);
      assert.deepEqual([code, out], [2, ""], err);
      assert.match(err, message);
    });

  for (const words of [
    ["--help"],
    ["start", "--help"],
    ["start", "identity", "--help"],
    ["version"],
  ])
    test(`tbot ${words.join(" ")} answers`, async () => {
      const { code, out, err } = await tbot(...words);
      assert.deepEqual([code, err], [0, ""]);
      assert.notEqual(out, "");
    });

  test("a flag goes over the file, and TBOT_CONFIG_PATH names one", async () => {
    const file = await withFile("proxy_server: a:1\nonboarding: { token: x }\n");
    const words = ["configure", "--token=y"];
    const { out } = await yard.run("tbot", words, { env: { TBOT_CONFIG_PATH: file } });
    assert.match(out, /proxy_server: a:1/);
    assert.match(out, /token: y/);
  });
});

describe("tbot wait", () => {
  test("gives up at its time, and says what it heard last", async () => {
    const nobody = await tbot(
      "wait",
      `--diag-addr=127.0.0.1:${await closedPort()}`,
      "--timeout=300ms",
    );
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /not ready after 300ms: .*ECONNREFUSED/);
    await using silent = await listen(net.createServer());
    const hung = await tbot("wait", `--diag-addr=127.0.0.1:${silent.port}`, "--timeout=300ms");
    assert.equal(hung.code, 1);
    assert.match(hung.err, /not ready after 300ms/);
  });

  test("tolerates a bot that is not up yet, and one that is not ready yet", async () => {
    const port = await closedPort();
    const waiting = yard.start("tbot", ["wait", `--diag-addr=127.0.0.1:${port}`]);
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(asked > 3 ? 200 : 503).end("{}\n");
    });
    setTimeout(() => server.listen(port, "127.0.0.1"), 500).unref();
    const { code, out } = await waiting.within(20_000);
    assert.deepEqual([code, out], [0, "{}\n"]);
    server.close();
  });

  test("does not wait for a service that the bot does not have", async () => {
    await using server = await listen(
      createServer((_request, response) => {
        response.writeHead(404).end('{"error":"no service is named \\"x\\"; there are: y"}\n');
      }),
    );
    const { code, err } = await tbot("wait", `--diag-addr=127.0.0.1:${server.port}`, "--service=x");
    assert.equal(code, 1);
    assert.match(err, /there are: y/);
  });

  test("can be interrupted", async () => {
    const waiting = yard.start("tbot", ["wait", `--diag-addr=127.0.0.1:${await closedPort()}`]);
    setTimeout(() => waiting.kill("SIGINT"), 1_000).unref();
    const { code, err } = await waiting.within(10_000);
    assert.equal(code, 1);
    assert.match(err, /stopped waiting/);
  });
});

describe("a one-shot bot", () => {
  const once = async (...words: readonly string[]): Promise<Ran> =>
    await tbot("start", ...words, "--oneshot", `--storage=${yard.path("once")}`);

  test("writes its outputs, tells the cluster, and ends with 0", async () => {
    const uri = await cluster.addBot("once");
    const ran = await once("identity", `--destination=${yard.path("once-out")}`, uri);
    assert.equal(ran.code, 0, ran.err);
    assert.ok((await readdir(yard.path("once-out"))).includes("tlscert"));
    const [instance] = await cluster.tctlJson<{ status: Beats }[]>(
      "get",
      "bot_instance",
      "--search=once",
    );
    assert.equal(instance!.status.latest_heartbeats[0]!.one_shot, true);
    assert.deepEqual(
      instance!.status.service_health.map(({ name, status }) => `${name} ${status}`),
      ["bot-identity healthy", "identity-1 exited"],
    );
  });

  test("ends with 1 when the application is not there, and says what was meant", async () => {
    const started = performance.now();
    const ran = await once(
      "app",
      "--app=nothing",
      "--destination=x",
      `--proxy-server=${cluster.address}`,
      "--token=once",
    );
    assert.equal(ran.code, 1);
    assert.match(ran.err, /^tbot: 1 of the services failed\n {2}app-1: .*"nothing"/m);
    assert.ok(performance.now() - started < 10_000);
  });

  test("ends with 1 when it cannot write, and joins again when it can", async () => {
    await writeFile(yard.path("a-file"), "");
    const words = [`--proxy-server=${cluster.address}`, "--token=once"];
    const ran = await once("identity", `--destination=${yard.path("a-file/out")}`, ...words);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /cannot write to the directory ".*a-file\/out" \(.*ENOTDIR/);
    await rm(yard.path("a-file"));
    assert.equal(
      (await once("identity", `--destination=${yard.path("a-file")}`, ...words)).code,
      0,
    );
  });

  test("tries again when the cluster does not answer, and then ends with 1", async () => {
    const address = `127.0.0.1:${await closedPort()}`;
    const { code, err } = await tbot(
      "start",
      "identity",
      "--oneshot",
      "--storage=memory://",
      "--destination=x",
      "--token=t",
      `--proxy-server=${address}`,
    );
    assert.equal(code, 1);
    assert.equal(err.match(/will try again/g)?.length, 2, err);
    assert.match(
      err,
      new RegExp(`^tbot: cannot reach the cluster at "${address}" .*ECONNREFUSED`, "m"),
    );
  });
});

describe("the process id", () => {
  test("is not written where it cannot be, and nothing is started then", async () => {
    await mkdir(yard.path("pid-dir"));
    const ran = await tbot(
      "start",
      "identity",
      "--storage=memory://",
      "--destination=x",
      `--pid-file=${yard.path("absent/pid")}`,
      await cluster.addBot("nopid"),
    );
    assert.equal(ran.code, 1);
    assert.match(ran.err, /cannot write ".*absent\/pid": ENOENT/);
    assert.deepEqual(await cluster.events("--type=bot.join", "--bot=nopid"), []);
  });
});

describe("secrets", () => {
  test("are not in the log, the effective configuration or the heartbeat", async () => {
    const uri = await cluster.addBot("quiet");
    const secret = decodeURIComponent(/:([^:@]+)@/.exec(uri)![1]!);
    const ran = await tbot(
      "start",
      "identity",
      "-d",
      "--oneshot",
      `--storage=${yard.path("quiet")}`,
      `--destination=${yard.path("quiet-out")}`,
      uri,
    );
    assert.equal(ran.code, 0, ran.err);
    assert.ok(secret.length >= 16);
    for (const text of [
      ran.out,
      ran.err,
      await cluster.tctl("get", "bot_instance", "--format=json"),
      cluster.process.printed,
    ])
      assert.ok(!text.includes(secret));
    const state = await readFile(yard.path("quiet/join-state.json"), "utf8");
    assert.ok(!state.includes(secret));
  });
});

interface Beats {
  readonly latest_heartbeats: readonly { readonly one_shot: boolean }[];
  readonly service_health: readonly { readonly name: string; readonly status: string }[];
}
