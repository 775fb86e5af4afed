// First contact: by which ways the secret comes, and what a wrong one, or a wrong cluster, is told.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { closedPort } from "#testing/applications";
import { Yard, type Ran } from "#testing/processes";
import { RealCluster } from "#testing/real-cluster";

let yard: Yard;
let cluster: RealCluster;
let pin: string;

before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
  pin = (await cluster.tctlJson<{ ca_pins: string[] }>("status")).ca_pins[0]!;
});
after(async () => {
  await yard[Symbol.asyncDispose]();
});

interface Given {
  readonly token?: string;
  readonly pins?: readonly string[];
  readonly words?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly address?: string;
}

/** One shot with nothing stored; what it is given besides says who it is. */
const join = async ({ token = "nobody", words = [], env = {}, ...more }: Given): Promise<Ran> =>
  await yard.run(
    "tbot",
    [
      "start",
      "identity",
      "--oneshot",
      "--storage=memory://",
      "--destination=memory://",
      `--proxy-server=${more.address ?? cluster.address}`,
      `--token=${token}`,
      ...(more.pins ?? [pin]).map((each) => `--ca-pin=${each}`),
      ...words,
    ],
    { env },
  );

/** Of a new bot of this name. */
const secretOf = async (name: string): Promise<string> =>
  /:([^:@]+)@/.exec(await cluster.addBot(name))![1]!;

describe("a registration secret", () => {
  test("is taken from a flag", async () => {
    const words = [`--registration-secret=${await secretOf("flag")}`];
    assert.equal((await join({ token: "flag", words })).code, 0);
  });

  test("is taken from the environment", async () => {
    const env = { TBOT_REGISTRATION_SECRET: await secretOf("environment") };
    assert.equal((await join({ token: "environment", env })).code, 0);
  });

  test("is taken from a file, whose last newline is not of it", async () => {
    const file = yard.path("secret");
    await writeFile(file, `${await secretOf("file")}\n`);
    const words = [`--registration-secret-path=${file}`];
    assert.equal((await join({ token: "file", words })).code, 0);
  });

  test("is not taken from a file that is not there, or is empty", async () => {
    const absent = await join({ words: [`--registration-secret-path=${yard.path("absent")}`] });
    assert.equal(absent.code, 1);
    assert.match(absent.err, /cannot read the registration secret from ".*absent": ENOENT/);
    await writeFile(yard.path("empty"), "\n");
    const empty = await join({ words: [`--registration-secret-path=${yard.path("empty")}`] });
    assert.equal(empty.code, 1);
    assert.match(empty.err, /the file ".*empty".* is empty/);
  });

  test("is not given twice", async () => {
    const { code, err } = await join({
      words: ["--registration-secret=a", "--registration-secret-path=b"],
    });
    assert.equal(code, 2, err);
    assert.match(err, /--registration-secret-path: stands beside/);
  });

  test("is good once", async () => {
    const words = [`--registration-secret=${await secretOf("once")}`];
    assert.equal((await join({ token: "once", words })).code, 0);
    assert.equal((await join({ token: "once", words })).code, 1);
  });
});

describe("a stranger", () => {
  test("gets one refusal for every cause, and the audit log the reason of each", async () => {
    const secret = await secretOf("victim");
    const wrong = [
      `--registration-secret=${secret.slice(0, -1)}${secret.endsWith("0") ? "1" : "0"}`,
    ];
    const asked: [Given, RegExp][] = [
      [{ token: "victim", words: wrong }, /secret/],
      [{ token: "victim" }, /secret/],
      [{ token: "no-such-token", words: wrong }, /no.*token|token.*not/],
      [{ token: "victim", words: [...wrong, "--join-method=token"] }, /method/],
    ];
    const said = new Set<string>();
    for (const [given, reason] of asked) {
      const { code, err } = await join(given);
      assert.equal(code, 1);
      said.add(/^tbot: (.*)$/m.exec(err)![1]!);
      assert.ok(!err.includes(secret));
      const [event] = await cluster.events("--type=bot.join.failed", "--limit=1");
      assert.match((event as { fields: { reason: string } }).fields.reason, reason);
    }
    assert.equal(said.size, 1, [...said].join("\n"));
    assert.doesNotMatch([...said][0]!, /victim|no-such-token/);
  });
});

describe("a cluster that is not the one pinned", () => {
  test("is refused, and nothing is told to it", async () => {
    const secret = await secretOf("careful");
    const before = (await cluster.events("--type=bot.join.failed")).length;
    const { code, err } = await join({
      token: "careful",
      pins: [`sha256:${"0".repeat(64)}`],
      words: [`--registration-secret=${secret}`],
    });
    assert.equal(code, 1);
    assert.match(err, /^tbot: the cluster at "127\.0\.0\.1:\d+" is not the one you pinned/m);
    assert.ok(err.includes(pin));
    assert.equal((await cluster.events("--type=bot.join.failed")).length, before);
  });

  test("is refused without a pin, for its certificate is its own", async () => {
    const { code, err } = await join({ pins: [] });
    assert.equal(code, 1);
    assert.match(err, /its web certificate is not one that this system trusts: give the CA pin/);
  });

  test("is believed when one of several pins is its own", async () => {
    const words = [`--registration-secret=${await secretOf("several")}`];
    const pins = [`sha256:${"0".repeat(64)}`, pin];
    assert.equal((await join({ token: "several", pins, words })).code, 0);
  });

  test("a pin that is none is a fault of usage", async () => {
    const { code, err } = await join({ pins: ["sha256:abc"] });
    assert.equal(code, 2, err);
    assert.match(err, /--ca-pin/);
  });
});

describe("an address at which no cluster is", () => {
  test("is named, with what to look at", async () => {
    const port = await closedPort();
    for (const address of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const { code, err } = await join({ address });
      assert.equal(code, 1);
      assert.match(
        err,
        new RegExp(
          `^tbot: cannot reach the cluster at "${address}" \\(.*ECONNREFUSED.*; check the address`,
          "m",
        ),
      );
    }
  });
});
