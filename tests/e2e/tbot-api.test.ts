// `tbot api` and Ctrl-C: what waits stops waiting, and what the bot was asked for goes on.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { LocalBench } from "#testing/local";
import { Yard, type Running } from "#testing/processes";
import { until } from "#testing/wait";

let yard: Yard;
let bench: LocalBench;
/** Calls that a caller has left. */
let left = 0;
let spawns = 0;

before(async () => {
  yard = await Yard.open();
  bench = await LocalBench.open({
    calls: {
      spawnService: async (_request, { signal }) => {
        spawns += 1;
        await once(signal, "abort");
        left += 1;
        return {};
      },
      getServiceStatus: () => ({
        services: [
          { name: "bot-identity", type: "internal", status: "unhealthy", reason: "no route" },
          { name: "app-tunnel-1", type: "application-tunnel", status: "initializing" },
          { name: "old", type: "application-tunnel", status: "unhealthy", reason: "no news" },
        ],
      }),
      watchLogs: async function* ({ follow }, { signal }) {
        yield { text: "the first line" };
        if (follow) await once(signal, "abort");
        else for (let line = 0; line < 1_000; line += 1) yield { text: "another line" };
      },
    },
  });
});
after(async () => {
  await yard[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

const api = (...words: readonly string[]): Running =>
  yard.start("tbot", ["api", ...words, "--socket", bench.path]);

test("a spawn that is interrupted says that the services go on", async () => {
  const running = api("spawn", "identity", "--destination", "/out");
  await running.until("asks the bot", () => spawns === 1);
  running.kill("SIGINT");
  const ran = await running.within(20_000);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /stopped waiting; what was asked for goes on: `tbot api status` shows it/);
  await until("the bot sees that its caller left", () => left === 1);
});

test("a spawn that takes its time says what it waits for, once", async () => {
  const running = api("spawn", "identity", "--destination", "/out");
  await running.prints(/^Waiting: app-tunnel-1 is initializing\n/m);
  running.kill("SIGINT");
  const { err } = await running.within(20_000);
  assert.equal(err.match(/^Waiting: bot-identity is unhealthy: no route$/gm)?.length, 1);
  assert.doesNotMatch(err, /no news/);
});

test("a watch of the services goes on until it is interrupted, and that is no failure", async () => {
  const running = api("status", "--watch");
  await running.prints(/one[^]*two/);
  running.kill("SIGINT");
  const ran = await running.within(20_000);
  assert.deepEqual([ran.code, ran.err], [0, ""]);
});

test("so does the log", async () => {
  const running = api("logs", "--follow");
  await running.prints(/^the first line$/m);
  running.kill("SIGTERM");
  const ran = await running.within(20_000);
  assert.deepEqual([ran.code, ran.out, ran.err], [0, "the first line\n", ""]);
});

test("a log that its reader cuts off ends well", async () => {
  const { code, out } = await yard.exec(
    [
      "sh",
      "-c",
      `"${process.execPath}" src/programs/tbot/main.ts api logs --tail 2 --socket "${bench.path}" | head -n 1`,
    ],
    { cwd: process.cwd() },
  );
  assert.deepEqual([code, out], [0, "the first line\n"]);
});
