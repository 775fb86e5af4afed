// The two actions as jobs use them: their bundles, a runner's stand-in, a cluster, an issuer.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, suite, test } from "node:test";
import { ActionsWorld, services } from "#testing/actions-world";
import { closedPort } from "#testing/applications";
import { logOf, stepOf, type JobResult } from "#testing/runner";
import { until } from "#testing/wait";

let world: ActionsWorld;
before(async () => {
  world = await ActionsWorld.open();
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

const example = (name: string): Promise<string> =>
  readFile(new URL(`../../examples/workflows/${name}.yaml`, import.meta.url), "utf8");
const tunnel = (port: number, app = "dumper"): object => ({
  type: "application-tunnel",
  app_name: app,
  listen: `tcp://127.0.0.1:${port}`,
});
const use = (port: number, name = "use"): object => ({
  name,
  run: `curl --fail --silent http://127.0.0.1:${port}/`,
});
const errorsOf = (job: JobResult, step: string, stage: "main" | "post" = "main"): string[] =>
  stepOf(job, step, stage)
    .annotations.filter(({ level }) => level === "error")
    .map(({ message }) => message);

/** What everyone on the machine can read of it. */
const wordsOfBot = "tr '\\0' ' ' < /proc/${{ steps.bot.outputs.pid }}/cmdline";
const joins = (): Promise<readonly unknown[]> => world.cluster.events("--type=bot.join");

/** What every job must leave behind: nothing. */
async function assertClean(job: JobResult): Promise<void> {
  assert.deepEqual(job.orphans, [], logOf(job));
  const left = await readdir(world.runner.temp);
  assert.deepEqual(
    left.filter((name) => name.startsWith("tbot-")),
    [],
  );
}

suite("the workflows of the guide", () => {
  test("one bot, services by action and by command", async () => {
    const ports = { DUMPER_PORT: String(await closedPort()), FOO_PORT: String(await closedPort()) };
    const before = (await joins()).length;
    const job = await world.runner.run(await example("tunnels"), ports);
    assert.equal(job.outcome, "success", logOf(job));
    const used = stepOf(job, "Use them").log;
    assert.match(used, /Hello from dumper\nHello from foo\nssh\/key-cert.pub\nssh\/ssh_config\n/);
    assert.match(used, /\["identity-1","app-tunnel-1"\]/);
    assert.match(stepOf(job, "Start an app tunnel dynamically").log, /app-tunnel-2/);
    const post = stepOf(job, "Start a bot API in the background", "post");
    const [fold] = post.folds;
    assert.equal(fold?.title, "The bot's log");
    assert.match(fold?.lines.join("\n") ?? "", /joined the cluster/);
    assert.match(post.log, /The bot ended/);
    await assertClean(job);
    assert.equal((await joins()).length, before + 1, "the bot joined once");
  });

  test("the shortest", async () => {
    const ports = { DUMPER_PORT: String(await closedPort()) };
    const job = await world.runner.run(await example("app-tunnel"), ports);
    assert.equal(job.outcome, "success", logOf(job));
    assert.equal(stepOf(job, "Use it").log, "Hello from dumper");
    await assertClean(job);
  });
});

suite("start-service", () => {
  test("refuses a list with a fault, says where, and starts nothing", async () => {
    const list = "- type: application-tunnel\n  app_nam: dumper\n  listen: tcp://127.0.0.1:1\n";
    const job = await world.job([
      world.bot(),
      services(list),
      { name: "status", if: "always()", run: "tbot api status --format json" },
    ]);
    assert.equal(job.outcome, "failure");
    const [error = "", ...others] = errorsOf(job, "services");
    assert.deepEqual(others, []);
    assert.match(error, /2:3.*app_nam.*app_name/s);
    assert.doesNotMatch(stepOf(job, "status").log, /app-tunnel/);
    await assertClean(job);
  });

  test("fails at once for an application that does not exist", async () => {
    const port = await closedPort();
    const job = await world.job([
      world.bot(),
      services([tunnel(port, "dumpr"), tunnel(await closedPort())]),
      use(port),
    ]);
    assert.equal(stepOf(job, "services").outcome, "failure", logOf(job));
    const errors = errorsOf(job, "services");
    assert.equal(errors.length, 1, "the other one works");
    assert.match(errors[0] ?? "", /app-tunnel-1 is (?:failed|unhealthy): .*"dumpr"/);
    assert.equal(stepOf(job, "use").outcome, "skipped");
    await assertClean(job);
  });

  test("opens a socket on which later steps get credentials of their own", async () => {
    const { address, dataDir } = world.cluster;
    const url = `https://dumper.e2e.localhost:${address.split(":")[1]}/`;
    const job = await world.job([
      world.bot(),
      services([{ type: "credential-api", path: "./credentials/api.sock", max_ttl: "10m" }]),
      {
        name: "use",
        run: [
          "tbot generate --socket ./credentials/api.sock application --app-name dumper --out ./dumper --ttl 1m",
          `curl --fail --silent --cert dumper/tlscert --key dumper/key --cacert ${dataDir}/web.crt ${url}`,
        ].join("\n"),
      },
    ]);
    assert.equal(job.outcome, "success", logOf(job));
    assert.match(stepOf(job, "use").log, /Hello from dumper$/);
    await assertClean(job);
  });

  test("goes on at once with skip_wait", async () => {
    const port = await closedPort();
    const job = await world.job([
      world.bot(),
      services([{ ...tunnel(port), name: "mine" }], { skip_wait: "true" }),
      { name: "names", run: "echo '${{ steps.services.outputs.services }}'" },
      {
        name: "use",
        run: `curl --fail --silent --retry 50 --retry-connrefused --retry-delay 1 http://127.0.0.1:${port}/`,
      },
    ]);
    assert.equal(job.outcome, "success", logOf(job));
    assert.equal(stepOf(job, "names").log, '["mine"]');
    await assertClean(job);
  });

  test("says that there is no bot, and which socket is dead", async () => {
    const bare = await world.job([services([tunnel(1)])]);
    assert.match(errorsOf(bare, "services")[0] ?? "", /TBOT_API_SOCKET is not set/);
    const dead = await world.job([services([tunnel(1)], { socket: "unix:///tmp/none.sock" })]);
    assert.match(errorsOf(dead, "services")[0] ?? "", /\/tmp\/none\.sock/);
  });

  test("reports every input that is wrong", async () => {
    const job = await world.job([services("", { timeout: "soon", skip_wait: "maybe" })]);
    const [error = ""] = errorsOf(job, "services");
    for (const name of ["services", "timeout", "skip_wait"]) assert.match(error, new RegExp(name));
  });
});

suite("bot-api", () => {
  test("two bots of one job are told apart by their outputs", async () => {
    const ports = [await closedPort(), await closedPort()] as const;
    const job = await world.job([
      world.bot({}, "one"),
      world.bot({}, "two"),
      { ...services([tunnel(ports[0])], { socket: "${{ steps.one.outputs.socket }}" }), name: "a" },
      { ...services([tunnel(ports[1], "foo")]), name: "b" },
      { name: "which", run: 'test "$TBOT_API_SOCKET" = "${{ steps.two.outputs.socket }}"' },
      use(ports[0]),
      use(ports[1], "use two"),
      { name: "status", run: "tbot api status --socket ${{ steps.one.outputs.socket }}" },
    ]);
    assert.equal(job.outcome, "success", logOf(job));
    assert.equal(stepOf(job, "use").log, "Hello from dumper");
    assert.equal(stepOf(job, "use two").log, "Hello from foo");
    assert.match(stepOf(job, "status").log, /app-tunnel-1/);
    const posts = job.steps.filter(({ stage }) => stage === "post").map(({ name }) => name);
    assert.deepEqual(posts, ["two", "one"]);
    await assertClean(job);
  });

  test("that cannot join fails in time, with the end of the bot's log", async () => {
    const job = await world.job([
      world.bot({ token: "other-bot", "wait-timeout": "10s" }),
      { name: "next", run: "true" },
    ]);
    assert.equal(job.outcome, "failure");
    const [error = ""] = errorsOf(job, "bot");
    assert.match(error, /not ready after 10s: .*the join was refused/);
    assert.match(error, /The end of its log:\n.*tbot starts/s);
    assert.equal(stepOf(job, "next").outcome, "skipped");
    assert.match(stepOf(job, "bot", "post").folds[0]?.lines.join("\n") ?? "", /join was refused/);
    await assertClean(job);
  });

  test("without the permission for ID tokens says which one the job lacks", async () => {
    const steps = [world.bot({ "wait-timeout": "10s" })];
    const job = await world.runner.run(
      JSON.stringify({ on: "push", jobs: { a: { "runs-on": "x", steps } } }),
    );
    assert.match(errorsOf(job, "bot")[0] ?? "", /id-token: write/);
    await assertClean(job);
  });

  test("with a configuration that is wrong fails at once, and says where", async () => {
    const job = await world.job([world.bot({ config: "credential_ttl: 1h\nservces: []\n" })]);
    const [error = ""] = errorsOf(job, "bot");
    assert.match(error, /the bot ended with code [12]/);
    assert.match(error, /config\.yaml:2:1: servces: unknown field; did you mean "services"\?/);
    await assertClean(job);
  });

  test("with a service that cannot be fails at once, and names it", async () => {
    const config = JSON.stringify({
      services: [{ type: "credential-api", path: "/etc/api.sock" }],
    });
    const job = await world.job([world.bot({ config })]);
    assert.match(errorsOf(job, "bot")[0] ?? "", /^credential-api-1 is failed: .*"\/etc"/);
    await assertClean(job);
  });

  test("takes services and settings from its configuration", async () => {
    const port = await closedPort();
    const config = JSON.stringify({ credential_ttl: "30m", services: [tunnel(port)] });
    const job = await world.job([
      world.bot({ config, "log-level": "debug" }),
      use(port),
      { name: "words", run: wordsOfBot },
    ]);
    assert.equal(job.outcome, "success", logOf(job));
    assert.match(stepOf(job, "words").log, / start bot-api .* --debug/);
    await assertClean(job);
  });

  test("joins by a URI whose secret nobody sees", async () => {
    const uri = await world.cluster.addBot("by-uri");
    const [, secret = ""] = /:\/\/[^:]+:([^@]+)@/.exec(uri) ?? [];
    assert.notEqual(secret, "");
    const job = await world.job([
      { name: "bot", id: "bot", uses: "./actions/bot-api", with: { "join-uri": uri } },
      { name: "leak", run: `echo "it is ${secret}"` },
      { name: "words", run: wordsOfBot },
    ]);
    assert.equal(job.outcome, "success", logOf(job));
    assert.equal(stepOf(job, "leak").log, "it is ***");
    assert.match(stepOf(job, "words").log, / start bot-api /);
    assert.doesNotMatch(stepOf(job, "words").log, /\*\*\*|join-uri/);
    assert.doesNotMatch(logOf(job), new RegExp(secret));
    await assertClean(job);
  });

  test("listens where it is told to", async () => {
    const listen = `unix://${world.runner.work}/api/bot.sock`;
    const job = await world.job([
      world.bot({ listen }),
      { name: "socket", run: "echo $TBOT_API_SOCKET; tbot api status" },
    ]);
    assert.equal(job.outcome, "success", logOf(job));
    assert.match(stepOf(job, "socket").log, new RegExp(`^${listen}\n`));
    await assertClean(job);
  });

  test("ends with a job that is canceled", async () => {
    const port = await closedPort();
    const running = world.job([
      world.bot(),
      services([tunnel(port)]),
      { name: "long", run: "echo waiting; exec sleep 100" },
      { name: "next", run: "true" },
    ]);
    await until("the job is at its long step", () => world.runner.printed("long"), 30_000);
    world.runner.cancel();
    const job = await running;
    assert.equal(job.outcome, "cancelled");
    assert.equal(stepOf(job, "next").outcome, "skipped");
    assert.match(stepOf(job, "bot", "post").log, /The bot ended/);
    await assertClean(job);
  });

  test("ends with a job that is canceled while it waits for the bot", async () => {
    const running = world.job([world.bot({ token: "other-bot" })]);
    await until(
      "the join is refused",
      () => world.runner.printed("bot").includes("refused"),
      30_000,
    );
    world.runner.cancel();
    const job = await running;
    assert.equal(stepOf(job, "bot").outcome, "cancelled");
    assert.match(errorsOf(job, "bot")[0] ?? "", /canceled/);
    assert.match(stepOf(job, "bot", "post").log, /The bot ended/);
    await assertClean(job);
  });

  test("warns when the bot did not live as long as the job", async () => {
    const kill = { name: "kill", run: "kill -9 ${{ steps.bot.outputs.pid }}" };
    const job = await world.job([world.bot(), kill]);
    assert.equal(job.outcome, "success", "the step that needed the bot would have failed");
    const [warning] = stepOf(job, "bot", "post").annotations;
    assert.deepEqual(
      [warning?.level, warning?.message],
      ["warning", "The bot had ended; its log says more"],
    );
    await assertClean(job);
  });

  test("takes another tbot", async () => {
    const job = await world.job([world.bot({ tbot: "/bin/false" })]);
    assert.match(errorsOf(job, "bot")[0] ?? "", /the bot ended with code 1/);
    const missing = await world.job([world.bot({ tbot: "/none/tbot" })]);
    assert.match(errorsOf(missing, "bot")[0] ?? "", /"\/none\/tbot".*ENOENT/);
    await assertClean(missing);
  });
});
