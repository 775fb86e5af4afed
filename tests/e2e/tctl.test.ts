// The administrator's command line as people use it: real processes, a real terminal's habits.
import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { until } from "#testing/wait";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let directory: string;
let address: string;
let cluster: ChildProcess;
const env = (): NodeJS.ProcessEnv => ({
  PATH: `${directory}/bin:${process.env["PATH"]}`,
  HOME: directory,
  TENON_DATA_DIR: join(directory, "data"),
});

/** What a shell makes of a line, as pasted. */
async function sh(line: string, more: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const options = { cwd: directory, env: { ...env(), ...more } };
  return await new Promise((resolve) => {
    execFile("bash", ["-c", line], options, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, out, err }),
    );
  });
}

async function done(line: string): Promise<string> {
  const ran = await sh(line);
  assert.equal(ran.code, 0, `${line}: ${ran.err}`);
  return ran.out;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tenon-tctl-"));
  await mkdir(join(directory, "bin"));
  await symlink(process.execPath, join(directory, "bin", "node"));
  for (const name of ["tenon", "tbot", "tctl"])
    await symlink(resolve(`src/programs/${name}/main.ts`), join(directory, "bin", name));
  address = `127.0.0.1:${await freePort()}`;
  cluster = spawn(
    "tenon",
    ["start", "--cluster-name", "tctl.test", "--listen", address, "--public-addr", address].concat(
      "--data-dir",
      join(directory, "data"),
    ),
    { env: env(), stdio: "ignore" },
  );
  await until("the cluster answers", async () => (await sh("tctl status")).code === 0, 60_000);
});

after(async () => {
  cluster.kill("SIGTERM");
  if (cluster.exitCode === null) await once(cluster, "exit");
  await rm(directory, { recursive: true, force: true });
});

describe("a local administrator", () => {
  it("reaches the cluster by a socket that only its owner can open", async () => {
    assert.equal((await stat(join(directory, "data/admin.sock"))).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, "data"))).mode & 0o777, 0o700);
    assert.match(await done("tctl status"), /^Cluster: +tctl\.test\n/);
  });

  it("gives a command that works when it is pasted", async () => {
    const text = await done("tctl bots add robot --roles access,editor");
    const command = /^ {2}(tbot start .*)$/m.exec(text)?.[1];
    assert.ok(command, text);
    await done(`${command} --oneshot --storage ./state`);
    const identity = join(directory, "robot/identity");
    assert.equal((await stat(identity)).mode & 0o777, 0o600);
    assert.match(await done("ssh-keygen -L -f robot/key-cert.pub"), /user certificate/);
  });

  it("sees who joined", async () => {
    assert.match(await done("tctl bots instances ls robot"), /^robot +[0-9a-f-]{36} +robot +\d+ /m);
    assert.match(
      await done("tctl bots ls"),
      /^robot +access, editor +1 +20.*0 \(bound_keypair\)$/m,
    );
    const events = await done("tctl audit ls --bot robot --type bot.join");
    assert.match(events, /bot\.join +success +/);
  });

  it("saves, restores and changes resources with the usual tools", async () => {
    await done("tctl get role/access --format yaml > role.yaml");
    await done(
      "sed -e 's/name: access/name: copied/' -e '/revision:/d' -e '/^  labels:/d' -e '/tenon.internal/d' role.yaml | tctl create -f -",
    );
    const ran = await sh("tctl edit role/copied", { EDITOR: "sed -i 's/^spec:/spec: # mine/'" });
    assert.equal(ran.code, 0, ran.err);
    assert.equal(await done("tctl get roles --search copied | wc -l"), "3\n");
    assert.equal(await done("tctl rm role/copied"), "role/copied removed\n");
  });

  it("may stop reading early", async () => {
    const ran = await sh("set -o pipefail; tctl schema | head -1");
    assert.deepEqual([ran.code, ran.out, ran.err], [0, "{\n", ""]);
  });

  it("gets exit codes that scripts can tell apart", async () => {
    for (const [line, code] of [
      ["tctl status", 0],
      ["tctl --help", 0],
      ["tctl bots add --help", 0],
      ["tctl", 2],
      ["tctl nonsense", 2],
      ["tctl get role/none", 1],
      ["tctl bots add x --roles access --ttl never", 2],
      ["tctl status --data-dir /nowhere", 1],
    ] as const)
      assert.equal((await sh(line)).code, code, line);
  });

  it("gets results on the output and complaints beside it", async () => {
    const good = await sh("tctl status");
    assert.equal(good.err, "");
    const bad = await sh("tctl get role/none");
    assert.equal(bad.out, "");
    assert.match(bad.err, /^tctl: there is no role "none"/);
  });
});

describe("with the identity that a bot wrote", () => {
  const asRobot = async (command: string): Promise<Ran> =>
    await sh(`tctl --identity robot/identity --proxy-server ${address} ${command}`);

  it("one administers over the network, as far as its roles go", async () => {
    const ran = await asRobot("get role/access --format json");
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /"kind": "role"/);
  });

  it("a file that others changed is refused", async () => {
    const text = await readFile(join(directory, "robot/identity"), "utf8");
    await writeFile(join(directory, "broken"), text.replace("BEGIN PRIVATE KEY", "BEGIN KEY"));
    const ran = await sh(`tctl --identity broken --proxy-server ${address} status`);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /holds no private key/);
  });

  it("a lock ends it at once", async () => {
    await done("tctl lock --user bot-robot --message 'gone for good'");
    const ran = await asRobot("get role/access");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /gone for good|locked/);
  });
});
