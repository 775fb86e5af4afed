// The stand-in for a runner of GitHub Actions does what the documentation says of one.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { logOf, Runner, stepOf, type JobResult } from "#testing/runner";
import { until } from "#testing/wait";

const idToken = { url: "https://issuer.example/?a=b", token: "secret-of-the-job" };

/** An action whose parts are these scripts. */
async function addAction(
  runner: Runner,
  name: string,
  parts: { main: string; post?: string; inputs?: object; outputs?: readonly string[] },
): Promise<void> {
  const { main, post, inputs = {}, outputs = [] } = parts;
  const directory = join(runner.work, name);
  await mkdir(directory);
  await writeFile(join(directory, "main.mjs"), main);
  await writeFile(join(directory, "post.mjs"), post ?? "");
  const described = outputs.map((output) => [output, { description: "an output" }]);
  const manifest = {
    name,
    description: "for a test",
    inputs,
    outputs: Object.fromEntries(described) as object,
    runs: {
      using: "node24",
      main: "main.mjs",
      ...(post === undefined ? {} : { post: "post.mjs" }),
    },
  };
  await writeFile(join(directory, "action.yml"), JSON.stringify(manifest));
}

const open = (): Promise<Runner> =>
  Runner.open({ idToken, vars: { COLOUR: "green" }, secrets: { KEY: "hush-hush" } });

const workflow = (steps: readonly object[], job: object = {}): string =>
  JSON.stringify({ on: "push", jobs: { one: { "runs-on": "ubuntu-latest", ...job, steps } } });

async function run(runner: Runner, steps: readonly object[], job?: object): Promise<JobResult> {
  return await runner.run(workflow(steps, job));
}

suite("a runner's stand-in", () => {
  test("gives inputs by name, upper case, with underscores and defaults", async () => {
    await using runner = await open();
    const inputs = {
      "two words": { description: "one" },
      "with-dash": { description: "two", default: "usual" },
      colour: { description: "three" },
    };
    const main = `for (const [k, v] of Object.entries(process.env)) if (/^INPUT_/.test(k)) console.log(k + "=" + v)`;
    await addAction(runner, "echo", { main, inputs });
    const job = await run(runner, [
      { name: "s", uses: "./echo", with: { "two words": "x", colour: "${{ vars.COLOUR }}" } },
    ]);
    const { log } = stepOf(job, "s");
    assert.deepEqual(log.split("\n").toSorted(), [
      "INPUT_COLOUR=green",
      "INPUT_TWO_WORDS=x",
      "INPUT_WITH-DASH=usual",
    ]);
    await assert.rejects(
      run(runner, [{ uses: "./echo", with: { colur: "x" } }]),
      /unexpected inputs: colur/,
    );
  });

  test("hands outputs, variables and PATH to later steps, and state to the post step", async () => {
    await using runner = await open();
    const main = `
      import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
      const { env } = process;
      appendFileSync(env.GITHUB_OUTPUT, "one<<END\\ntwo\\nlines\\nEND\\nshort=x=y\\n");
      appendFileSync(env.GITHUB_ENV, "EXPORTED=value\\n");
      appendFileSync(env.GITHUB_STATE, "kept=state of " + env.INPUT_NAME + "\\n");
      mkdirSync(env.RUNNER_TEMP + "/" + env.INPUT_NAME);
      writeFileSync(env.RUNNER_TEMP + "/" + env.INPUT_NAME + "/which", "#!/bin/sh\\necho of " + env.INPUT_NAME, { mode: 0o755 });
      appendFileSync(env.GITHUB_PATH, env.RUNNER_TEMP + "/" + env.INPUT_NAME + "\\n");`;
    const post = `console.log(process.env.STATE_kept, process.env.EXPORTED)`;
    const inputs = { name: { description: "its name" } };
    await addAction(runner, "set", { main, post, inputs, outputs: ["one", "short"] });
    const job = await run(runner, [
      { name: "a", id: "a", uses: "./set", with: { name: "first" } },
      { name: "b", uses: "./set", with: { name: "second" } },
      {
        name: "c",
        env: { OUTPUT: "${{ steps.a.outputs.one }}" },
        run: 'which\necho "$EXPORTED $OUTPUT ${{ steps.a.outputs.short }}"',
      },
    ]);
    assert.equal(stepOf(job, "c").log, "of second\nvalue two\nlines x=y");
    const posts = job.steps.filter(({ stage }) => stage === "post");
    assert.deepEqual(
      posts.map(({ name, log }) => [name, log]),
      [
        ["b", "state of second value"],
        ["a", "state of first value"],
      ],
    );
  });

  test("skips what follows a failure, but not what is to run always, nor the post steps", async () => {
    await using runner = await open();
    await addAction(runner, "fail", { main: "process.exitCode = 1", post: "console.log('post')" });
    const job = await run(
      runner,
      [
        { name: "allowed", run: "exit 3", "continue-on-error": true },
        { name: "fails", uses: "./fail" },
        { name: "skipped", run: "echo no" },
        { name: "cleans", if: "always()", run: "echo yes" },
        {
          name: "tells",
          if: "${{ failure() && env.A == 'x' }}",
          run: "echo told",
          env: { A: "x" },
        },
      ],
      { env: { A: "x" } },
    );
    assert.equal(job.outcome, "failure");
    assert.deepEqual(
      job.steps.map(({ name, stage, outcome }) => `${stage} ${name} ${outcome}`),
      [
        "main allowed failure",
        "main fails failure",
        "main skipped skipped",
        "main cleans success",
        "main tells success",
        "post fails success",
      ],
    );
  });

  test("gives ID tokens only to jobs with the permission", async () => {
    await using runner = await open();
    const steps = [{ name: "s", run: 'echo "[$ACTIONS_ID_TOKEN_REQUEST_URL]"' }];
    assert.equal(stepOf(await run(runner, steps), "s").log, "[]");
    const allowed = await run(runner, steps, { permissions: { "id-token": "write" } });
    assert.equal(stepOf(allowed, "s").log, `[${idToken.url}]`);
  });

  test("masks secrets, also those that a step names", async () => {
    await using runner = await open();
    const job = await run(runner, [
      { name: "s", run: 'echo "::add-mask::my word"\necho "${{ secrets.KEY }} and my word"' },
    ]);
    assert.equal(stepOf(job, "s").log, "*** and ***");
  });

  test("cancels the step that runs, skips the rest, and runs the post steps", async () => {
    await using runner = await open();
    const main = `
      process.on("SIGINT", () => { console.log("interrupted"); process.exit(1); });
      console.log("waiting");
      setInterval(() => {}, 1000);`;
    await addAction(runner, "wait", { main, post: "console.log('cleaned')" });
    const running = run(runner, [
      { name: "w", uses: "./wait" },
      { name: "n", run: "echo no" },
    ]);
    await until("the step waits", () => runner.printed("w").includes("waiting"));
    runner.cancel();
    const job = await running;
    assert.equal(job.outcome, "cancelled");
    assert.equal(stepOf(job, "w").outcome, "cancelled");
    assert.match(stepOf(job, "w").log, /interrupted/);
    assert.equal(stepOf(job, "n").outcome, "skipped");
    assert.equal(stepOf(job, "w", "post").log, "cleaned");
  });

  test("finds what a job leaves behind", async () => {
    await using runner = await open();
    const job = await run(runner, [{ run: "sleep 300 > /dev/null 2>&1 < /dev/null & disown" }]);
    assert.deepEqual(job.orphans, ["sleep 300"], logOf(job));
  });

  test("fails where a process that a step left behind holds its output", async () => {
    await using runner = await open();
    const running = run(runner, [{ run: "sleep 300 & disown" }]);
    await assert.rejects(running, /holds the step's output open/);
  });

  test("refuses what it does not know", async () => {
    await using runner = await open();
    await assert.rejects(run(runner, [{ run: "true", "timeout-minutes": 3 }]), /timeout-minutes/);
    await assert.rejects(run(runner, [{ run: "echo ${{ hashFiles('x') }}" }]), /cannot evaluate/);
    await assert.rejects(run(runner, [{ run: "echo ${{ inputs.x }}" }]), /cannot evaluate/);
  });
});
