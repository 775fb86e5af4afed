import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { httpApplication } from "#testing/applications";
import { needs } from "#testing/needs";
import { Yard, type Running } from "#testing/processes";

const execute = promisify(execFile);

describe("tenon", needs("curl"), () => {
  let yard: Yard;
  beforeEach(async () => {
    yard = await Yard.open();
  });
  afterEach(() => yard[Symbol.asyncDispose]());

  const cluster = (name = "cluster"): Running =>
    yard.start("tenon", [
      "start",
      "--cluster-name=example.test",
      "--public-addr=127.0.0.1",
      `--data-dir=${yard.path(name)}`,
      "--listen=127.0.0.1:0",
      "--diag-addr=127.0.0.1:0",
    ]);

  /** A field of the line that says it is ready. */
  async function ready(running: Running, field: string): Promise<string> {
    const found = await running.prints(new RegExp(` ready .*\\b${field}=(\\S+)`));
    return found[1]!;
  }

  async function json<T>(program: "tctl", ...words: readonly string[]): Promise<T> {
    const ran = await yard.run(program, [
      "--data-dir",
      yard.path("cluster"),
      ...words,
      "--format=json",
    ]);
    assert.equal(ran.code, 0, ran.err);
    return JSON.parse(ran.out) as T;
  }

  test("runs a cluster and an agent, which curl goes through with a bot's certificate", async () => {
    await using app = await httpApplication((request, response) => {
      const size = Number(new URL(request.url ?? "/", "http://x").searchParams.get("size") ?? 0);
      if (request.method === "POST") request.pipe(response);
      else response.end(size > 0 ? Buffer.alloc(size, "x") : `hello from ${request.url}`);
    });
    const started = cluster();
    const port = Number(await ready(started, "port"));
    const [pin] = await started.prints(/sha256:[0-9a-f]{64}/);
    for (const [file, mode] of [
      ["", 0o700],
      ["web.key", 0o600],
      ["host_id", 0o600],
      ["admin.sock", 0o600],
    ] as const)
      assert.equal((await stat(yard.path("cluster", file))).mode & 0o777, mode, file);

    const { token } = await json<{ token: string }>("tctl", "tokens", "add", "--type=app");
    await writeFile(yard.path("token"), `${token}\n`, { mode: 0o600 });
    const agent = yard.start("tenon", [
      "app",
      "start",
      "--name=hello",
      `--uri=http://127.0.0.1:${app.port}`,
      `--proxy-server=127.0.0.1:${port}`,
      `--token=${yard.path("token")}`,
      `--ca-pin=${pin}`,
      `--data-dir=${yard.path("agent")}`,
      "--diag-addr=127.0.0.1:0",
    ]);
    const diagnostics = await ready(agent, "diagnostics");
    const healthy = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${diagnostics}/readyz`)).ok;
    await agent.until("is healthy", healthy);

    const bot = await json<{ join_uri: string }>("tctl", "bots", "add", "robot", "--roles=access");
    const joined = await yard.run("tbot", [
      "start",
      "application",
      "--oneshot",
      bot.join_uri,
      "--app-name=hello",
      `--storage=${yard.path("bot")}`,
      `--destination=${yard.path("out")}`,
    ]);
    assert.equal(joined.code, 0, joined.err);
    const curl = async (...more: readonly string[]): Promise<string> => {
      const words = [
        "--silent",
        "--show-error",
        "--cacert",
        yard.path("cluster", "web.crt"),
        "--resolve",
        `hello.example.test:${port}:127.0.0.1`,
        "--cert",
        yard.path("out", "tlscert"),
        "--key",
        yard.path("out", "key"),
        ...more,
      ];
      return (await execute("curl", words, { maxBuffer: 64 * 1024 * 1024 })).stdout;
    };
    const url = `https://hello.example.test:${port}`;
    assert.equal(await curl(`${url}/path`), "hello from /path");
    assert.equal((await curl(`${url}/?size=20000000`)).length, 20_000_000);
    await writeFile(yard.path("upload"), Buffer.alloc(5_000_000, "y"));
    assert.equal((await curl("--data-binary", `@${yard.path("upload")}`, url)).length, 5_000_000);

    for (const running of [agent, started]) {
      const { code, err } = await running.stop();
      assert.equal(code, 0, err);
      assert.match(err, /stopping/);
    }
  });

  test("says what stands in its way, and ends with 1", async () => {
    const port = await ready(cluster("first"), "port");
    const cases: [string, readonly string[], RegExp][] = [
      ["a locked data directory", [`--data-dir=${yard.path("first")}`], /another process|already/],
      [
        "a busy port",
        [`--data-dir=${yard.path("third")}`, `--listen=127.0.0.1:${port}`],
        /cannot listen on "127.0.0.1:\d+" .*EADDRINUSE.*--listen/,
      ],
      [
        "another name for a cluster that has one",
        [`--data-dir=${yard.path("third")}`, "--cluster-name=other.test"],
        /belongs to the cluster/,
      ],
      ["a missing file", ["-c", "/nowhere.yaml"], /cannot read "\/nowhere.yaml": ENOENT/],
    ];
    for (const [what, words, message] of cases)
      await fails(what, ["start", ...words], { code: 1, message });
    await fails(
      "an agent without a token",
      [
        "app",
        "start",
        "--name=x",
        "--uri=tcp://localhost:1",
        "--proxy-server=localhost",
        `--data-dir=${yard.path("agent")}`,
      ],
      { code: 1, message: /give it a join token/ },
    );
  });

  test("ends with 2 for what cannot be meant", async () => {
    const cases: [string, readonly string[], RegExp][] = [
      ["an unknown command", ["stat"], /unknown command 'stat'[^]*start/],
      ["an address that is none", ["start", "--listen=nowhere"], /--listen: must be host:port/],
      ["an unknown flag", ["start", "--no-such-flag"], /unknown option/],
      [
        "several faults",
        ["app", "start", "--name=A", "--uri=ftp://x"],
        /--name: .*--uri: .*--proxy-server: is required/s,
      ],
    ];
    for (const [what, words, message] of cases) await fails(what, words, { code: 2, message });
  });

  async function fails(
    what: string,
    words: readonly string[],
    expected: { code: number; message: RegExp },
  ): Promise<void> {
    const { code, err } = await yard.run("tenon", words);
    assert.equal(code, expected.code, `${what}: ${err}`);
    assert.match(err, expected.message, what);
    assert.doesNotMatch(err, /\n\s+at /, what);
  }

  test("prints and checks configurations", async () => {
    const { out } = await yard.run("tenon", [
      "configure",
      "--cluster-name=example.test",
      "--listen=127.0.0.1:443",
      "--log-level=debug",
      "--diag-addr=:3000",
    ]);
    await writeFile(yard.path("tenon.yaml"), out);
    const valid = await yard.run("tenon", ["validate", "-c", yard.path("tenon.yaml")]);
    assert.equal(valid.code, 0, valid.err);
    assert.match(out, /^version: v1\ncluster_name: example.test\n/);
    await writeFile(yard.path("tenon.yaml"), `${out}nonsense: 1\n`);
    const invalid = await yard.run("tenon", ["validate", "-c", yard.path("tenon.yaml")]);
    assert.equal(invalid.code, 1);
    assert.match(invalid.err, /tenon.yaml:\d+:1: .*nonsense/);
    const schema = await yard.run("tenon", ["schema"]);
    assert.equal((JSON.parse(schema.out) as { title: string }).title, "tenon.yaml");
  });

  test("ends at once at the second signal", async () => {
    const running = cluster();
    const port = Number(await ready(running, "port"));
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    await once(socket, "connect");
    running.kill("SIGINT");
    await running.until("is stopping", () => /stopping/.test(running.printed) || !running.alive);
    running.kill("SIGINT");
    const { code } = await running.within(5_000);
    assert.ok(code === 130 || code === 0, String(code));
    socket.destroy();
  });

  test("answers its diagnostics, and counts", async () => {
    const at = `http://127.0.0.1:${await ready(cluster(), "diagnostics")}`;
    assert.equal((await fetch(`${at}/livez`)).status, 200);
    const answer = await fetch(`${at}/readyz`);
    assert.equal(answer.status, 200);
    const body = (await answer.json()) as { services: Record<string, { status: string }> };
    assert.equal(body.services["proxy_service"]?.status, "healthy");
    const metrics = await (await fetch(`${at}/metrics`)).text();
    assert.match(metrics, /^tenon_proxy_connections \d/m);
    assert.equal((await fetch(`${at}/other`)).status, 404);
  });
});
