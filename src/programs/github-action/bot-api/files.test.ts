// What the action keeps on disk for one bot.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { endOf, wholeOf } from "./log.ts";
import { makePlace, putOnPath } from "./place.ts";

async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "tenon-action-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

suite("the place of a bot", () => {
  test("is the job's own, and each bot has another", async () => {
    await using temp = await temporary();
    const places = [
      await makePlace([temp.path], undefined),
      await makePlace([temp.path], undefined),
    ];
    assert.notEqual(places[0]!.socket, places[1]!.socket);
    assert.equal((await stat(places[0]!.directory)).mode & 0o777, 0o700);
    assert.match(places[0]!.socket, /^unix:\/\/\/.*\/api\.sock$/);
  });

  test("is elsewhere when the path of a socket would not fit", async () => {
    await using temp = await temporary();
    const deep = join(temp.path, "d".repeat(100));
    await mkdir(deep);
    const { directory } = await makePlace([deep, temp.path], undefined);
    assert.ok(directory.startsWith(join(temp.path, "tbot-")), directory);
  });

  test("has the socket that was asked for", async () => {
    await using temp = await temporary();
    const { socket } = await makePlace([temp.path], "unix:///run/x.sock");
    assert.equal(socket, "unix:///run/x.sock");
  });

  test("says where it cannot be", async () => {
    await assert.rejects(makePlace(["/proc/none"], undefined), {
      code: "not_found",
      message: /"\/proc\/none"/,
    });
  });

  test("has a tbot that runs what it should, however that is written", async () => {
    await using temp = await temporary();
    const script = join(temp.path, "it's a $(name).mjs");
    await writeFile(script, "console.log(process.argv.slice(2).join('|'))");
    const place = await makePlace([temp.path], undefined);
    await putOnPath(place, [process.execPath, script]);
    const printed = execFileSync(join(place.bin, "tbot"), ["a b", "c"], { encoding: "utf8" });
    assert.equal(printed, "a b|c\n");
  });
});

suite("the log of a bot", () => {
  test("ends with its last lines", async () => {
    await using temp = await temporary();
    const log = join(temp.path, "log");
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    await writeFile(log, `${lines.join("\n")}\n`);
    assert.equal(await endOf(log), lines.slice(-20).join("\n"));
    assert.equal(await wholeOf(log), `${lines.join("\n")}\n`);
  });

  test("is cut at the start of a line, and says how much is missing", async () => {
    await using temp = await temporary();
    const log = join(temp.path, "log");
    await writeFile(log, `${"x".repeat(99)}\n`.repeat(12_000));
    const text = await wholeOf(log);
    assert.match(text, /^\(200000 bytes before this are left out\)\nx{99}\n/);
    assert.ok((await endOf(log)).length < 4_000);
  });

  test("may be empty", async () => {
    await using temp = await temporary();
    await writeFile(join(temp.path, "log"), "");
    assert.equal(await endOf(join(temp.path, "log")), "");
  });
});
