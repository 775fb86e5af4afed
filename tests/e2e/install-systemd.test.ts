// The unit of `tbot install systemd`, read by systemd's own tools.
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { needs } from "#testing/needs";
import { Yard, type Ran } from "#testing/processes";

/** systemd-analyze calls everything below 5 good enough; the best that Node allows is about 1. */
const MOST_EXPOSURE = 2;

let yard: Yard;
before(async () => {
  yard = await Yard.open();
});
after(async () => {
  await yard[Symbol.asyncDispose]();
});

const install = async (...words: readonly string[]): Promise<Ran> =>
  await yard.run("tbot", ["install", "systemd", ...words]);

async function fileWith(services: readonly object[], more: object = {}): Promise<string> {
  const file = yard.path("tbot.yaml");
  const onboarding = { token: "x" };
  const text = JSON.stringify({ proxy_server: "a:1", onboarding, services, ...more });
  await writeFile(file, text, { mode: 0o644 });
  return file;
}

const output = (path: string): object => ({ type: "identity", destination: path });

/** Writes the unit, and gives what `systemd-analyze verify` read in it. */
async function verified(...words: readonly string[]): Promise<string> {
  const units = `--systemd-directory=${yard.directory}`;
  const written = await install(...words, "--write", "--force", units);
  assert.equal(written.code, 0, written.err);
  const unit = yard.path("tbot.service");
  const plain = await yard.exec(["systemd-analyze", "verify", unit]);
  assert.deepEqual([plain.code, plain.out, plain.err], [0, "", ""]);
  const { out } = await yard.exec(["systemd-analyze", "verify", unit], {
    env: { PATH: process.env["PATH"], SYSTEMD_LOG_LEVEL: "debug" },
  });
  return out.slice(out.indexOf("-> Unit tbot.service"));
}

describe("systemd", needs("systemd-analyze", "kill"), () => {
  test("takes the unit without a complaint, and finds little that it exposes", async () => {
    const tunnel = { type: "app-tunnel", app_name: "a", listen: "unix:///run/tbot/a.sock" };
    const file = await fileWith([output("/var/lib/app"), tunnel]);
    await verified("-c", file);
    const unit = yard.path("tbot.service");
    const { code, out } = await yard.exec([
      "systemd-analyze",
      "security",
      "--offline=true",
      `--threshold=${MOST_EXPOSURE * 10}`,
      unit,
    ]);
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(out)?.[1]);
    assert.equal(code, 0, out);
    assert.ok(exposure <= MOST_EXPOSURE, out);
  });

  test("takes one with a low port, a home, /tmp and a one-shot bot", async () => {
    const file = await fileWith([output("/root/out"), output("/tmp/out")], {
      diag_addr: "127.0.0.1:90",
      oneshot: true,
    });
    await verified("-c", file);
  });

  test("reads the same paths that the configuration names, whatever is in them", async () => {
    const tbot = yard.path("a b%n$HOME", "tbot");
    await mkdir(dirname(tbot));
    await writeFile(tbot, "#!/bin/sh\n");
    await chmod(tbot, 0o755);
    const odd = "%h 50% $HOME ü'\"\\ ;";
    const services = [output(`/opt/x${odd}`), output("/opt/y")];
    const file = yard.path(odd);
    await rename(await fileWith(services), file);
    const seen = await verified("-c", file, "--tbot-path", tbot);
    const line = (label: string): string | undefined => seen.split(`${label}: `)[1]?.split("\n")[0];
    assert.equal(line("ReadWritePaths"), `/opt/x${odd} /opt/y`);
    // Shown as a shell would take it.
    const { out } = await yard.exec(["sh", "-c", `printf '%s\\n' ${line("Command Line")}`]);
    assert.deepEqual(out.split("\n").slice(0, 4), [tbot, "start", "-c", file]);
  });

  test("takes no program with a quote in its path, and neither do we", async () => {
    const { code, err } = await install("-c", await fileWith([]), "--tbot-path=/opt/it's/tbot");
    assert.equal(code, 1);
    assert.match(err, /"\/opt\/it's\/tbot" holds a quote .*--tbot-path/);
  });

  test("is told when the program is not there", async () => {
    await install(
      "-c",
      await fileWith([]),
      "--write",
      "--force",
      "--tbot-path=/absent/tbot",
      `--systemd-directory=${yard.directory}`,
    );
    const { err } = await yard.exec(["systemd-analyze", "verify", yard.path("tbot.service")]);
    assert.match(err, /\/absent\/tbot is not executable/);
  });
});

describe("tbot install systemd", () => {
  test("prints the unit, and writes nothing", async () => {
    const { code, out, err } = await install("-c", await fileWith([output("/opt/out")]));
    assert.equal(code, 0);
    assert.match(out, /^\[Unit\]$/m);
    assert.match(out, /^ExecStart=:.* start -c .*tbot\.yaml --storage \/var\/lib\/tenon\/bot$/m);
    assert.match(err, /^note: "\/opt\/out" must be there.*install -d -m 0700 -o tenon/m);
  });

  test("writes it, says what is next, and replaces no other one unless told", async () => {
    const words = ["--write", "--name=robot", `--systemd-directory=${yard.directory}`];
    const first = await install("-c", await fileWith([]), ...words);
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /systemctl daemon-reload\n {2}systemctl enable --now robot/);
    const unit = yard.path("robot.service");
    assert.equal((await stat(unit)).mode & 0o777, 0o644);
    assert.match(await readFile(unit, "utf8"), /--storage \/var\/lib\/tenon\/robot$/m);
    assert.match((await install("-c", yard.path("tbot.yaml"), ...words)).out, /says so already/);

    await writeFile(unit, "mine");
    const refused = await install("-c", yard.path("tbot.yaml"), ...words);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /robot\.service" is there and says something else; give --force/);
    assert.equal(await readFile(unit, "utf8"), "mine");
    assert.equal((await install("-c", yard.path("tbot.yaml"), ...words, "--force")).code, 0);
    assert.notEqual(await readFile(unit, "utf8"), "mine");
  });

  test("says how to make the account, and how to let it read the file", async () => {
    const file = await fileWith([]);
    await chmod(file, 0o600);
    const { err } = await install("-c", file, "--user=nobody-here");
    assert.match(err, /groupadd --system nobody-here && useradd --system --gid nobody-here/);
    assert.match(err, /nobody-here cannot read ".*tbot\.yaml": chown root:nobody-here/);
    await chmod(file, 0o644);
    assert.doesNotMatch((await install("-c", file, "--user=root")).err, /account|cannot read/);
  });

  for (const [words, code, message] of [
    [[], 2, /no configuration: give -c FILE/],
    [["-c", "absent.yaml"], 1, /"absent\.yaml"/],
    [["--force", "-c", "x"], 2, /--force is for --write/],
    [["--name=../x", "-c", "FILE"], 2, /--name "\.\.\/x" must hold only letters/],
    [["--user=a b", "-c", "FILE"], 2, /--user "a b" must hold only letters/],
    [["--write", "--systemd-directory=/absent", "-c", "FILE"], 1, /cannot write "\/absent\/tbot/],
  ] as const)
    test(`${words.join(" ") || "no words"} is refused with ${code}`, async () => {
      const file = await fileWith([]);
      const ran = await install(...words.map((each) => (each === "FILE" ? file : each)));
      assert.deepEqual([ran.code, ran.out], [code, ""], ran.err);
      assert.match(ran.err, message);
    });

  test("a file with faults is refused as tbot start would", async () => {
    const file = yard.path("bad.yaml");
    await writeFile(file, "proxy_server: a:1\nservces: []\n");
    const { code, out, err } = await install("-c", file);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /bad\.yaml:2:1.*servces.*did you mean "services"/);
  });
});
