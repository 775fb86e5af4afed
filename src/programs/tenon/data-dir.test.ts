import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { openDataDir } from "./data-dir.ts";
import { hostIdOf } from "./host-id.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "tenon-data-"));
});
afterEach(() => rm(parent, { recursive: true }));

describe("the data directory", () => {
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

  test("is made for its owner alone, with its parents", async () => {
    const path = join(parent, "a", "b");
    await openDataDir(path);
    assert.equal(await modeOf(path), 0o700);
  });

  test("is closed to others while it is empty", async () => {
    const path = join(parent, "empty");
    await mkdir(path, { mode: 0o755 });
    await openDataDir(path);
    assert.equal(await modeOf(path), 0o700);
  });

  test("is refused, and left as it is, when it is open and holds something", async () => {
    const path = join(parent, "shared");
    await mkdir(path);
    await chmod(path, 0o755);
    await writeFile(join(path, "file"), "");
    await assert.rejects(openDataDir(path), {
      code: "bad_parameter",
      message: /mode 755.*chmod 700/,
    });
    assert.equal(await modeOf(path), 0o755);
  });

  test("is refused when it is a file", async () => {
    const path = join(parent, "file");
    await writeFile(path, "");
    await assert.rejects(openDataDir(path), { code: "bad_parameter" });
  });
});

describe("the host id", () => {
  test("is made once, and kept for its owner alone", async () => {
    const id = await hostIdOf(parent);
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(await hostIdOf(parent), id);
    assert.equal((await stat(join(parent, "host_id"))).mode & 0o777, 0o600);
  });

  test("that is damaged is an error, and not replaced", async () => {
    await writeFile(join(parent, "host_id"), "nonsense");
    await assert.rejects(hostIdOf(parent), { code: "bad_parameter" });
    assert.equal(await readFile(join(parent, "host_id"), "utf8"), "nonsense");
  });
});
