import assert from "node:assert/strict";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ensurePrivateDirectory, removeLeftovers, writeFileAtomic } from "./files.ts";

describe("files", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-files-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("writes with mode 0600 unless told otherwise, whatever was there", async () => {
    const path = join(directory, "secret");
    await writeFile(path, "old", { mode: 0o644 });
    await writeFileAtomic(path, "new");
    assert.equal(await readFile(path, "utf8"), "new");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await writeFileAtomic(path, Buffer.from("open"), { mode: 0o666 });
    assert.equal((await stat(path)).mode & 0o777, 0o666);
  });

  it("replaces a symbolic link instead of writing through it", async () => {
    const target = join(directory, "target");
    await writeFile(target, "untouched");
    await symlink(target, join(directory, "link"));
    await writeFileAtomic(join(directory, "link"), "new");
    assert.equal(await readFile(target, "utf8"), "untouched");
    assert.equal(await readFile(join(directory, "link"), "utf8"), "new");
  });

  it("never shows a part to a reader, and leaves no temporary file", async () => {
    const path = join(directory, "racing");
    const contents = ["a", "b"].map((letter) => letter.repeat(300_000));
    await writeFileAtomic(path, contents[0]!);
    const writers = Array.from({ length: 10 }, (_, index) =>
      writeFileAtomic(path, contents[index % 2]!),
    );
    const reads = Array.from({ length: 20 }, async () =>
      assert.ok(contents.includes(await readFile(path, "utf8"))),
    );
    await Promise.all([...writers, ...reads]);
    assert.deepEqual(
      (await readdir(directory)).filter((name) => name.endsWith(".tmp")),
      [],
    );
  });

  it("names the path and the code when the directory is missing, and leaves nothing", async () => {
    await assert.rejects(writeFileAtomic(join(directory, "no/such"), "x"), {
      code: "not_found",
      message: /cannot write ".*no\/such": ENOENT, no such file or directory/,
    });
    await mkdir(join(directory, "taken"));
    await assert.rejects(writeFileAtomic(join(directory, "taken"), "x"), { code: "bad_parameter" });
    assert.ok(!(await readdir(directory)).some((name) => name.endsWith(".tmp")));
  });

  it("clears what interrupted writes left, and nothing else", async () => {
    const path = join(directory, "torn");
    await removeLeftovers(path);
    await mkdir(path);
    const others = [".config.tmp", ".state.json.0123.tmp", "state.json", ".0123456789abcdef.tmp"];
    for (const name of [".state.json.0123456789abcdef.tmp", ...others])
      await writeFile(join(path, name), "half");
    await removeLeftovers(path);
    assert.deepEqual((await readdir(path)).sort(), others.sort());
  });

  it("makes directories private, also one that was open", async () => {
    const path = join(directory, "a/b");
    await ensurePrivateDirectory(path);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    await chmod(path, 0o755);
    await ensurePrivateDirectory(path);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    await assert.rejects(ensurePrivateDirectory(join(directory, "secret")), {
      code: "bad_parameter",
    });
  });
});
