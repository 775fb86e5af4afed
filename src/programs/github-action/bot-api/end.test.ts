import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { suite, test } from "node:test";
import { systemClock } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { endBot } from "./end.ts";

const MARK = "mark-of-this-test";

/** A process with the mark in its command line, once it has printed that it is up. */
async function start(
  script: string,
): Promise<{ child: ChildProcess; bot: { pid: number; mark: string } }> {
  const program = `${script}; process.stdout.write("up"); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ["-e", program, MARK], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return { child, bot: { pid: child.pid!, mark: MARK } };
}

suite("ending a bot", () => {
  test("asks it, and waits", async () => {
    const { child, bot } = await start(`process.on("SIGTERM", () => process.exit(7))`);
    assert.equal(await endBot(bot, { clock: systemClock }), "ended");
    await until("it ended", () => child.exitCode !== null);
    assert.equal(child.exitCode, 7);
  });

  test("kills it when it does not", async () => {
    const clock = new ManualClock();
    const { child, bot } = await start(`process.on("SIGTERM", () => {})`);
    const ending = endBot(bot, { clock });
    await until("it waits", () => clock.pending > 1);
    await until("the deadline passes", async () => {
      await clock.advance(1_000);
      return clock.monotonic() > 10_000;
    });
    const advancing = setInterval(() => void clock.advance(1_000), 5);
    assert.equal(await ending.finally(() => clearInterval(advancing)), "was killed");
    await until("it ended", () => child.signalCode !== null);
    assert.equal(child.signalCode, "SIGKILL");
  });

  test("leaves alone what has its number now", async () => {
    const { child, bot } = await start("");
    assert.equal(await endBot({ ...bot, mark: "another" }, { clock: systemClock }), "had ended");
    assert.equal(child.exitCode ?? child.signalCode, null);
    child.kill("SIGKILL");
    await until("it ended", () => child.signalCode !== null);
    assert.equal(await endBot(bot, { clock: systemClock }), "had ended");
  });
});
