import { connectLocal, socketPath } from "#base/local";
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { LocalBench } from "#testing/local";
import { needs } from "#testing/needs";

const run = promisify(execFile);
const asRoot = process.getuid?.() === 0;

describe("the socket of a local API", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-socket-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });
  const answers = async (bench: LocalBench): Promise<boolean> =>
    (await (await bench.client()).getConfig({})).configuration === "ü";
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

  it("is for its owner alone, in a directory made for it, and goes with the server", async () => {
    const path = join(directory, "a/b/api.sock");
    {
      await using bench = await LocalBench.open({ path });
      assert.ok(await answers(bench));
      assert.deepEqual([await modeOf(path), await modeOf(dirname(path))], [0o600, 0o700]);
    }
    await assert.rejects(stat(path), { code: "ENOENT" });
  });

  it("replaces one that a killed process left behind", async () => {
    const path = join(directory, "api.sock");
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const orphan = await connectLocal(path);
    await assert.rejects(call(orphan), { code: "unavailable", message: /nobody answers on it/ });
    await using bench = await LocalBench.open({ path });
    assert.ok(await answers(bench));
  });

  it("never replaces one that answers, nor a file that is none", async () => {
    await using bench = await LocalBench.open();
    await assert.rejects(LocalBench.open({ path: bench.path }), { code: "already_exists" });
    assert.ok(await answers(bench));
    await writeFile(join(directory, "precious"), "");
    await assert.rejects(LocalBench.open({ path: join(directory, "precious") }), {
      code: "bad_parameter",
    });
  });

  it("has a path of at most 107 bytes, on both sides", async () => {
    const path = join(directory, "x".repeat(107 - directory.length));
    await assert.rejects(LocalBench.open({ path }), { code: "bad_parameter", message: /108/ });
    await assert.rejects(connectLocal(path), { code: "bad_parameter", message: /108.*107/ });
  });

  it("is refused where its directory is open to others, is no directory, or cannot be made", async () => {
    await mkdir(join(directory, "open"));
    await chmod(join(directory, "open"), 0o1777);
    for (const [path, code, message] of [
      ["open/api.sock", "bad_parameter", /1777.*a directory of its own/],
      ["file/api.sock", "bad_parameter", /"[^"]*file"/],
    ] as const) {
      await writeFile(join(directory, "file"), "");
      await assert.rejects(LocalBench.open({ path: join(directory, path) }), { code, message });
    }
    const path = "/dev/null/none/api.sock";
    await assert.rejects(LocalBench.open({ path }), { message: /"\/dev\/null\/none"/ });
  });

  it("names what is wrong to a caller that cannot reach it", async () => {
    for (const [path, message] of [
      [join(directory, "nothing"), /"[^"]*nothing": there is no such socket/],
      ["/dev/null/api.sock", /not a directory/],
    ] as const)
      await assert.rejects(call(await connectLocal(path)), { code: "unavailable", message });
  });

  it("is written as a path, unix:// or file://", () => {
    for (const written of ["/a/b", "unix:///a/b", "file:///a/b", "unix:/a/b"])
      assert.equal(socketPath(written), "/a/b");
    assert.equal(socketPath("b.sock"), join(process.cwd(), "b.sock"));
    for (const wrong of ["tcp://127.0.0.1:1", "unix://", ""])
      assert.throws(() => socketPath(wrong), { code: "bad_parameter" });
  });

  describe("and other users", { skip: asRoot ? false : "needs root to become them" }, () => {
    const asNobody = async (path: string): Promise<string> => {
      const url = "http://bot/tenon.tbot.v1.BotApiService/GetConfig";
      const curl = ["curl", "-s", "-w", "%{http_code} %{exitcode}", "--unix-socket", path];
      const user = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"];
      const { stdout } = await run("setpriv", [...user, ...curl, "-d", "{}", url]).catch(
        (error: { stdout: string }) => error,
      );
      return stdout;
    };
    beforeEach(() => chmod(directory, 0o711));

    it("are kept out by the directory", needs("curl"), async () => {
      await using bench = await LocalBench.open({ path: join(directory, "own/api.sock") });
      assert.equal(await asNobody(bench.path), "000 7");
    });

    it("are refused in words when somebody opens the file to them", needs("curl"), async () => {
      await using bench = await LocalBench.open({ path: join(directory, "own/api.sock") });
      await chmod(dirname(bench.path), 0o755);
      await chmod(bench.path, 0o666);
      assert.match(await asNobody(bench.path), /"permission_denied".*65534.*readers.*403 0/);
      assert.equal(bench.peers.length, 0);
    });

    for (const [what, reader] of [
      ["a user", { user: "nobody" }],
      ["a user by number", { user: "65534" }],
      ["a group", { group: "nogroup" }],
    ] as const)
      it(`call when ${what} is a reader, also after a restart`, needs("curl"), async () => {
        const path = join(directory, "own/api.sock");
        for (let start = 0; start < 2; start += 1) {
          await using bench = await LocalBench.open({ path, readers: [reader], acls: "required" });
          assert.equal(await asNobody(bench.path), '{"configuration":"ü"}200 0');
          assert.equal(bench.peers[0]?.uid, 65_534);
        }
      });

    it("that do not exist cannot be readers", async () => {
      const readers = [{ user: "no-such-user-here" }];
      await assert.rejects(LocalBench.open({ readers }), {
        code: "bad_parameter",
        message: /"no-such-user-here" is no user/,
      });
    });
  });
});

async function call(transport: Awaited<ReturnType<typeof connectLocal>>): Promise<unknown> {
  const { createClient } = await import("@connectrpc/connect");
  const { BotApiService } = await import("@tenon/api/tenon/tbot/v1/bot_api");
  return createClient(BotApiService, transport).getConfig({});
}
