// Bound keypairs as people handle them: made in advance, static, in a token, replaced by the machine.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { needs } from "#testing/needs";
import { Yard, type Ran, type Running } from "#testing/processes";
import { RealCluster } from "#testing/real-cluster";
import { openSoftHsm, PIN } from "#testing/tokens";

let yard: Yard;
let cluster: RealCluster;

before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
});
after(async () => {
  await yard[Symbol.asyncDispose]();
});

interface Shown {
  readonly public_key: string;
  readonly fingerprint: string;
  readonly created?: boolean;
  readonly static_key?: string;
}

async function create(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Shown> {
  const ran = await yard.run("tbot", ["keypair", "create", ...words, "--format=json"], { env });
  assert.equal(ran.code, 0, ran.err);
  return JSON.parse(ran.out) as Shown;
}

/** Makes a bot whose token knows the machine's key already; gives its join URI, which has no secret. */
async function addBot(name: string, publicKey: string): Promise<string> {
  const file = yard.path(`${name}.pub`);
  await writeFile(file, `${publicKey}\n`);
  const uri = await cluster.addBot(name, `--public-key=${file}`);
  assert.match(uri, new RegExp(`//${name}@`));
  return uri;
}

interface TokenDocument {
  readonly status: { readonly bound_keypair: { readonly bound_public_key: string } };
}

const boundKey = async (token: string): Promise<string> => {
  const { status } = await cluster.tctlJson<TokenDocument>("get", `token/${token}`);
  return status.bound_keypair.bound_public_key;
};

interface BotOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly words?: readonly string[];
  readonly storage?: string;
  readonly oneshot?: boolean;
}

function start(name: string, uri: string, options: BotOptions = {}): Running {
  const { env = {}, words = [], storage = yard.path(name), oneshot = false } = options;
  return yard.start(
    "tbot",
    [
      "start",
      "identity",
      uri,
      `--destination=${yard.path(`out-${name}`)}`,
      `--storage=${storage}`,
      ...(oneshot ? ["--oneshot"] : []),
      ...words,
    ],
    { env },
  );
}

async function joinOnce(name: string, uri: string, options: BotOptions = {}): Promise<Ran> {
  const ran = await start(name, uri, { ...options, oneshot: true }).within(60_000);
  assert.equal(ran.code, 0, ran.err);
  return ran;
}

describe("a keypair made in advance", () => {
  test("joins without any secret, and is shown by the same command", async () => {
    const made = await create([`--storage=${yard.path("advance")}`]);
    assert.equal(made.created, true);
    const uri = await addBot("advance", made.public_key);
    await joinOnce("advance", uri);
    assert.equal(await boundKey("advance"), made.public_key);
    const shown = await create([`--storage=${yard.path("advance")}`]);
    assert.deepEqual([shown.created, shown.public_key], [false, made.public_key]);
  });

  test("is printed with the command that makes the bot", async () => {
    const ran = await yard.run("tbot", ["keypair", "create", `--storage=${yard.path("printed")}`]);
    assert.match(ran.out, /^A new keypair is in ".*printed"/);
    assert.match(ran.out, /^ssh-ed25519 AAAA/m);
    assert.match(ran.out, /^ {2}tctl bots add robot --roles=access --public-key=robot.pub$/m);
  });

  test("may be of ML-DSA", async () => {
    const made = await create([`--storage=${yard.path("pq")}`, "--key-suite=ml-dsa-65"]);
    assert.match(made.public_key, /^ssh-mldsa-65 /);
    const uri = await addBot("pq", made.public_key);
    await joinOnce("pq", uri);
    await joinOnce("pq", uri);
    assert.equal(await boundKey("pq"), made.public_key);
    const listed = await cluster.tctlJson<{ token: string }[]>("bound-keypair", "ls");
    assert.ok(listed.some(({ token }) => token === "pq"));
  });
});

describe("a static key", () => {
  const places: [what: string, options: (key: string) => Promise<BotOptions & { uri?: string }>][] =
    [
      ["in the environment", async (key) => ({ env: { TBOT_BOUND_KEYPAIR_STATIC_KEY: key } })],
      ["in a file", async (key) => ({ words: [`--static-key-path=${await keyFile(key)}`] })],
      ["in a file that the join URI names", async (key) => ({ uri: await keyFile(key) })],
    ];
  let number = 0;
  const keyFile = async (key: string): Promise<string> => {
    const file = yard.path(`static-${number++}.key`);
    await writeFile(file, key, { mode: 0o600 });
    return file;
  };

  for (const [i, [what, place]] of places.entries())
    test(`joins from ${what}, and is not copied into the storage`, async () => {
      const name = `static${i}`;
      const { public_key, static_key } = await create(["--static"]);
      const uri = await addBot(name, public_key);
      const { uri: path, ...options } = await place(static_key!);
      const given = path
        ? uri.replace(`//${name}@`, `//${name}:${encodeURIComponent(path)}@`)
        : uri;
      await joinOnce(name, given, options);
      assert.equal(await boundKey(name), public_key);
      await assert.rejects(stat(yard.path(name, "keys")), { code: "ENOENT" });
    });

  test("keeps joining without storage, where its token is insecure", async () => {
    const { public_key, static_key } = await create(["--static"]);
    const uri = await addBot("ci", public_key);
    await cluster.tctl("bots", "update", "ci", "--recovery-mode=insecure");
    const env = { TBOT_BOUND_KEYPAIR_STATIC_KEY: static_key };
    for (let round = 0; round < 3; round++)
      await joinOnce("ci", uri, { env, storage: "memory://" });
  });

  test("cannot be rotated, and says so", async () => {
    const { public_key, static_key } = await create(["--static"]);
    const uri = await addBot("fixed", public_key);
    const env = { TBOT_BOUND_KEYPAIR_STATIC_KEY: static_key };
    await joinOnce("fixed", uri, { env });
    await cluster.tctl("bound-keypair", "rotate", "fixed");
    const ran = await start("fixed", uri, { env, oneshot: true }).within(60_000);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /a static key cannot be rotated or replaced here: make another one/);
  });
});

describe("tbot keypair rotate", () => {
  const rotate = async (name: string): Promise<Record<string, boolean>> => {
    const words = ["keypair", "rotate", `--storage=${yard.path(name)}`, "--format=json"];
    const ran = await yard.run("tbot", words);
    assert.equal(ran.code, 0, ran.err);
    return JSON.parse(ran.out) as Record<string, boolean>;
  };

  test("has a running bot replace its key at once", async () => {
    const bot = start("turning", await cluster.addBot("turning"));
    await bot.prints(/wrote credentials/);
    const before = await boundKey("turning");
    assert.deepEqual(await rotate("turning"), { rotated: true, running: true, told: true });
    const after = await boundKey("turning");
    assert.notEqual(after, before);
    const shown = await create([`--storage=${yard.path("turning")}`]);
    assert.equal(shown.public_key, after);
    await bot.stop();
  });

  test("is remembered for a bot that does not run", async () => {
    const uri = await cluster.addBot("asleep");
    await joinOnce("asleep", uri);
    const before = await boundKey("asleep");
    assert.deepEqual(await rotate("asleep"), { rotated: false, running: false, told: false });
    await joinOnce("asleep", uri);
    const after = await boundKey("asleep");
    assert.notEqual(after, before);
    await joinOnce("asleep", uri);
    assert.equal(await boundKey("asleep"), after);
  });

  test("says so where nothing has joined", async () => {
    const words = ["keypair", "rotate", `--storage=${yard.path("nothing")}`];
    const ran = await yard.run("tbot", words);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /nothing has joined from ".*nothing" yet/);
  });
});

describe("a key in a token", needs("softhsm2-util"), () => {
  test("is made there, joins, and is replaced there", async () => {
    await using token = await openSoftHsm();
    const env = { ...token.env, TOKEN_PIN: PIN };
    const file = yard.path("hsm.yaml");
    const configuration = {
      storage: yard.path("hsm"),
      onboarding: {
        bound_keypair: {
          pkcs11: {
            module: token.module,
            token_label: token.label,
            pin_env: "TOKEN_PIN",
            key_label: "hsm",
          },
        },
      },
    };
    await writeFile(file, JSON.stringify(configuration));
    const made = await create([`--config=${file}`], env);
    const uri = await addBot("hsm", made.public_key);
    await joinOnce("hsm", uri, { env, words: [`--config=${file}`] });
    assert.equal(await boundKey("hsm"), made.public_key);
    const words = ["keypair", "rotate", `--config=${file}`];
    assert.equal((await yard.run("tbot", words, { env })).code, 0);
    await joinOnce("hsm", uri, { env, words: [`--config=${file}`] });
    assert.notEqual(await boundKey("hsm"), made.public_key);
    const state = await readFile(yard.path("hsm", "join-state.json"), "utf8");
    assert.match(state, /"bound_keys"/);
    await assert.rejects(stat(yard.path("hsm", "keys")), { code: "ENOENT" });
  });
});

describe("a bot's own identity", () => {
  test("lives for a week, when it is asked to", async () => {
    const uri = await cluster.addBot("long");
    await mkdir(yard.path("long"), { mode: 0o700 });
    await joinOnce("long", uri, { words: ["--identity-ttl=7d"] });
    const state = JSON.parse(await readFile(yard.path("long", "join-state.json"), "utf8")) as {
      joined: { tls_certificate: string };
    };
    const own = Buffer.from(state.joined.tls_certificate, "base64");
    assert.equal(lifetimeHours(own), 168);
    assert.equal(lifetimeHours(await readFile(yard.path("out-long", "tlscert"))), 1);
  });
});

function lifetimeHours(certificate: Buffer): number {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return Math.round((validToDate.getTime() - validFromDate.getTime()) / 3_600_000);
}
