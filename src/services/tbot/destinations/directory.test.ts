import assert from "node:assert/strict";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { silentLogger, type Logger } from "#base/kernel";
import { DirectoryDestination, type DirectoryOptions } from "./directory.ts";

suite("the directory destination", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "tenon-destination-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  const open = (options: Partial<DirectoryOptions>): DirectoryDestination =>
    new DirectoryDestination({
      path: join(root, "out"),
      symlinks: "try-secure",
      acls: "try",
      readers: [],
      log: silentLogger,
      ...options,
    });

  test("makes a private directory and private files, and leaves no temporary ones", async () => {
    const destination = open({ path: join(root, "a/b") });
    await destination.prepare();
    await destination.write([
      { name: "key", data: "secret" },
      { name: "cert", data: "public", public: true },
    ]);
    assert.equal((await stat(join(root, "a/b"))).mode & 0o777, 0o700);
    assert.equal((await stat(join(root, "a/b/key"))).mode & 0o777, 0o600);
    assert.equal((await stat(join(root, "a/b/cert"))).mode & 0o777, 0o644);
    assert.deepEqual((await readdir(join(root, "a/b"))).sort(), ["cert", "key"]);
  });

  test("replaces what was there, and reads it back", async () => {
    const destination = open({});
    await destination.prepare();
    await destination.write([{ name: "key", data: "one" }]);
    await destination.write([{ name: "key", data: "two" }]);
    assert.equal(Buffer.from((await destination.read("key"))!).toString(), "two");
    assert.equal(await destination.read("other"), undefined);
  });

  test("a path through a symbolic link is refused when secure", async () => {
    await mkdir(join(root, "real"));
    await symlink(join(root, "real"), join(root, "link"));
    await assert.rejects(open({ path: join(root, "link/out"), symlinks: "secure" }).prepare(), {
      code: "access_denied",
      message: /link/,
    });
  });

  test("it is followed with a warning when try-secure, and silently when insecure", async () => {
    await mkdir(join(root, "real"));
    await symlink(join(root, "real"), join(root, "link"));
    const warnings: string[] = [];
    const log: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
    await open({ path: join(root, "link/out"), log }).prepare();
    assert.equal(warnings.length, 1);
    await open({ path: join(root, "link/out"), symlinks: "insecure", log }).prepare();
    assert.equal(warnings.length, 1);
    assert.equal((await lstat(join(root, "real/out"))).isDirectory(), true);
  });

  test("a file that is a symbolic link is replaced, not followed", async () => {
    const destination = open({});
    await destination.prepare();
    await symlink(join(root, "elsewhere"), join(root, "out/key"));
    await destination.write([{ name: "key", data: "secret" }]);
    assert.equal(await readFile(join(root, "out/key"), "utf8"), "secret");
    await assert.rejects(stat(join(root, "elsewhere")));
  });

  test("a place that is no directory is an error that names it", async () => {
    const destination = open({ path: "/dev/null/out" });
    await assert.rejects(destination.prepare(), {
      code: "unavailable",
      message: /\/dev\/null\/out/,
    });
  });

  test(
    "a directory that cannot be written is found before anything is issued",
    { skip: process.getuid?.() === 0 && "root may write everywhere" },
    async () => {
      await mkdir(join(root, "out"));
      await chmod(join(root, "out"), 0o500);
      await assert.rejects(open({}).prepare(), { code: "unavailable", message: /out/ });
    },
  );

  test("a reader that does not exist fails when ACLs are required, and warns otherwise", async () => {
    const readers = [{ user: "no-such-user-here" }];
    await assert.rejects(open({ readers, acls: "required" }).prepare(), { code: "bad_parameter" });
    const warnings: string[] = [];
    await open({
      readers,
      log: { ...silentLogger, warn: (message) => void warnings.push(message) },
    }).prepare();
    assert.equal(warnings.length, 1);
  });
});
