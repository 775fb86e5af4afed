// A bot whose storage cannot be written: full, too small for what the cluster answers, or read-only.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Yard, type Ran } from "#testing/processes";
import { RealCluster } from "#testing/real-cluster";

const MAIN = fileURLToPath(import.meta.resolve("../../src/programs/tbot/main.ts"));
/** A file system of one's own takes a user namespace, which some machines do not give. */
const namespaces = spawnSync("unshare", ["-rm", "true"]).status === 0;
const ownMounts = { skip: namespaces ? false : "needs user namespaces (unshare -rm)" };

let yard: Yard;
let cluster: RealCluster;

before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
});
after(() => yard[Symbol.asyncDispose]());

const words = (storage: string, ...more: readonly string[]): readonly string[] => [
  "start",
  "identity",
  "--oneshot",
  "--destination=memory://",
  `--storage=${storage}`,
  ...more,
];

/** The storage of a bot that has joined, has one recovery and has used it. */
async function stored(name: string): Promise<string> {
  const storage = yard.path(`storage-${name}`);
  const uri = await cluster.addBot(name, "--recovery-limit=1");
  const { code, err } = await yard.run("tbot", words(storage, uri));
  assert.equal(code, 0, err);
  return storage;
}

const again = (storage: string, token: string): readonly string[] =>
  words(storage, `--proxy-server=${cluster.address}`, `--token=${token}`);

/** It joins as if nothing had been: the same instance, no recovery used, no lock. */
async function goesOn(name: string, storage: string): Promise<void> {
  const { code, err } = await yard.run("tbot", again(storage, name));
  assert.equal(code, 0, err);
  assert.match(err, /refreshed its identity/);
  const token = await cluster.tctlJson<Token>("get", `token/${name}`);
  assert.equal(token.status.bound_keypair.recovery_count, 1);
  assert.equal((await cluster.tctlJson<unknown[]>("get", "lock")).length, 0);
}

/** Runs the bot on a file system of 256 KiB that has a copy of its storage, and copies it back. */
async function confined(storage: string, name: string, arrange: string): Promise<Ran> {
  const script = `set -e
    small=$(mktemp -d); mount -t tmpfs -o size=256k,mode=700 tmpfs "$small"
    cp -a "$0/." "$small/"
    ${arrange}
    code=0; "$@" --storage="$small" || code=$?
    mount -o remount,rw "$small"; rm -f "$small/filler"; cp -a "$small/." "$0/"
    exit $code`;
  const [, ...rest] = again(storage, name).filter((word) => !word.startsWith("--storage="));
  const run = [process.execPath, MAIN, "start", ...rest];
  return await yard.exec(["unshare", "-rm", "sh", "-c", script, storage, ...run]);
}

const leaving = (pages: number): string => `
    dd if=/dev/zero of="$small/filler" bs=4096 2>/dev/null || true
    truncate -s $(( $(stat -c %s "$small/filler") - ${pages} * 4096 )) "$small/filler"`;

describe("a bot", () => {
  test("whose disk takes the attempt, but not the answer to it, repeats it", async () => {
    const name = "answer";
    const storage = yard.path("storage-answer");
    const uri = await cluster.addBot(name, "--recovery-limit=1");
    // 4 KiB: the keys of an attempt fit, with certificates they do not.
    const limited = ["sh", "-c", `ulimit -f 8; exec "$0" "$@"`, process.execPath, MAIN];
    for (let round = 0; round < 3; round++) {
      const { code, err } = await yard.exec([...limited, ...words(storage, uri)]);
      assert.equal(code, 1, err);
      assert.match(err, /cannot write ".*join-state\.json": EFBIG, /);
    }
    const { code, err } = await yard.run("tbot", words(storage, uri));
    assert.equal(code, 0, err);
    const joins = await cluster.events("--type=bot.join", `--bot=${name}`);
    const repeated = joins.map(({ fields }) => (fields as { repeated: boolean }).repeated);
    assert.equal(repeated.pop(), false);
    assert.ok(repeated.length >= 3 && repeated.every(Boolean), JSON.stringify(repeated));
    await goesOn(name, storage);
  });

  test(
    "whose disk is full says so, whatever did not fit, and goes on later",
    ownMounts,
    async () => {
      const name = "full";
      const storage = await stored(name);
      const seen = new Set<number | null>();
      for (const pages of [0, 1, 2, 3, 5, 8]) {
        const { code, err } = await confined(storage, name, leaving(pages));
        seen.add(code);
        if (code !== 0) assert.match(err, /^tbot: .*ENOSPC, the disk is full/m, `${pages} pages`);
      }
      assert.deepEqual(seen, new Set([1, 0]));
      await goesOn(name, storage);
    },
  );

  test("whose storage is read-only says so before anything is sent", ownMounts, async () => {
    const name = "frozen";
    const storage = await stored(name);
    const state = await readFile(join(storage, "join-state.json"), "utf8");
    const events = (await cluster.events("--type=bot.join", `--bot=${name}`)).length;
    const { code, err } = await confined(storage, name, 'mount -o remount,ro "$small"');
    assert.equal(code, 1);
    assert.match(err, /^tbot: .*(?:EROFS|read-only)/m);
    assert.equal(await readFile(join(storage, "join-state.json"), "utf8"), state);
    assert.equal((await cluster.events("--type=bot.join", `--bot=${name}`)).length, events);
    await goesOn(name, storage);
  });

  test("whose storage is put back to yesterday's is found, and let in by a reset", async () => {
    const name = "yesterday";
    const storage = await stored(name);
    const backup = yard.path("yesterday");
    await cp(storage, backup, { recursive: true });
    await yard.run("tbot", again(storage, name));
    const behind = await yard.run("tbot", again(backup, name));
    assert.equal(behind.code, 1);
    assert.match(behind.err, /locked/);
    await cluster.tctl("bound-keypair", "reset", name);
    const back = await yard.run("tbot", again(backup, name));
    assert.equal(back.code, 0, back.err);
    const [event] = await cluster.events("--type=bot.join", `--bot=${name}`);
    assert.match(JSON.stringify(event), /"allowed_by":"reset"/);
  });
});

interface Token {
  readonly status: { readonly bound_keypair: { readonly recovery_count: number } };
}
