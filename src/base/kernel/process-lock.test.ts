import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { lockForProcess } from "./process-lock.ts";

describe("a lock for a process", () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-lock-"));
    path = join(directory, "bot");
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const lock = (): Disposable => lockForProcess(path, (holder) => `it is held${holder}`);

  test("is held once, and free again when it is given up", () => {
    {
      using _first = lock();
      assert.throws(lock, {
        code: "already_exists",
        message: `it is held (pid ${process.pid})`,
      });
    }
    using _second = lock();
  });

  test("is a file for its owner alone, and leaves no note behind", async () => {
    {
      using _lock = lock();
      for (const name of ["bot.lock", "bot.pid"])
        assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600);
    }
    assert.deepEqual(await readdir(directory), ["bot.lock"]);
  });

  test("ends with the process that held it, however that ended", async () => {
    const source = `
      import { lockForProcess } from ${JSON.stringify(new URL("./process-lock.ts", import.meta.url).href)};
      globalThis.lock = lockForProcess(${JSON.stringify(path)}, () => "");
      process.stdout.write("held");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    assert.throws(lock, { message: `it is held (pid ${child.pid})` });
    child.kill("SIGKILL");
    await once(child, "exit");
    using _lock = lock();
  });

  test("needs a directory that can be written", () => {
    assert.throws(() => lockForProcess(join(directory, "none/bot"), () => ""), {
      code: "not_found",
      message: /none\/bot\.lock/,
    });
  });
});
