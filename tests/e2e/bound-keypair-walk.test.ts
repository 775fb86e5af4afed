// docs/guides/bound-keypair-walk.md, every command of it, as two people would type it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { closedPort } from "#testing/applications";
import { installPrograms, Shell } from "#testing/shell";

const GUIDE = "docs/guides/bound-keypair-walk.md";

interface Block {
  readonly terminal: "terminal-1" | "terminal-2";
  readonly lines: readonly string[];
}

async function blocksOf(file: string): Promise<readonly Block[]> {
  const text = await readFile(file, "utf8");
  return [...text.matchAll(/^```sh (terminal-[12])\n(.*?)^```$/gms)].map(([, terminal, body]) => ({
    terminal: terminal === "terminal-1" ? terminal : "terminal-2",
    lines: body!.trim().split("\n"),
  }));
}

let directory: string;
let port: number;
let blocks: readonly Block[];
const terminals: Record<string, Shell> = {};
/** What stands for `JOIN_URI` once it was printed. */
let joinUri = "";
let next = 0;

before(async () => {
  blocks = await blocksOf(GUIDE);
  port = await closedPort();
  directory = await mkdtemp(join(tmpdir(), "tenon-walk-"));
  await installPrograms(directory);
  for (const name of ["terminal-1", "terminal-2"])
    terminals[name] = new Shell(directory, { jobs: true });
});

after(async () => {
  for (const terminal of Object.values(terminals)) terminal.kill();
  await rm(directory, { recursive: true, force: true });
});

const typed = (line: string): string =>
  line.replaceAll("3080", String(port)).replace("'JOIN_URI'", `'${joinUri}'`);

/** Runs the guide's next block: to its end, or until a bot in it says that it has joined. */
async function follow(expected: Block["terminal"]): Promise<string> {
  const block = blocks[next++];
  assert.equal(block?.terminal, expected, "the guide has another block here");
  const terminal = terminals[block.terminal]!;
  const lines = block.lines.filter((line) => line !== "# Ctrl-C").map(typed);
  if (lines.length < block.lines.length) {
    const from = terminal.printed.length;
    terminal.interrupt();
    await terminal.prints(/tbot ends/, from);
  }
  if (lines.length === 0) return "";
  if (expected === "terminal-1") return await terminal.run(lines);
  const from = terminal.printed.length;
  terminal.type(lines);
  await terminal.prints(/joined the cluster|refreshed its identity/, from);
  return terminal.printed.slice(from);
}

test("a cluster, and a bot", async () => {
  const printed = await follow("terminal-1");
  joinUri = /^ {2}(tbot\+proxy\+bound-keypair:\/\/\S+)$/m.exec(printed)![1]!;
  // The thief of the guide types in terminal 1.
  await terminals["terminal-1"]!.run([`export JOIN_URI='${joinUri}'`]);
});

test("the machine joins", async () => {
  assert.match(await follow("terminal-2"), /joined the cluster/);
  const printed = await follow("terminal-1");
  assert.match(printed, /^robot +[0-9a-f-]{36} +robot +1 +2 /m);
  assert.match(printed, /^robot +robot +bound +SHA256:\S+ +1 +2 /m);
});

test("it is away for too long, and recovers", async () => {
  assert.match(await follow("terminal-2"), /joined the cluster/);
  const printed = await follow("terminal-1");
  assert.match(printed, /^robot +[0-9a-f-]{36} +robot +2 +1 /m);
  assert.equal(printed.match(/^robot +[0-9a-f-]{36} /gm)?.length, 2);
  assert.match(printed, /^superseded-\S+ +bot_instance_id:\S+ +instance "\S+" took its place/m);
});

test("the limit goes up and down", async () => {
  assert.match(await follow("terminal-1"), /^robot +bound_keypair +Bot +robot +2 +2 /m);
  assert.match(
    await follow("terminal-1"),
    /^recoveries_low +warning +token\/robot +token "robot" of bot "robot" has 2 of 4/m,
  );
});

test("its key is replaced", async () => {
  const before = await terminals["terminal-1"]!.run(["tctl bound-keypair ls"]);
  const keyIn = (text: string): string => /SHA256:\S+/.exec(text)![0];
  const printed = await follow("terminal-1");
  assert.notEqual(keyIn(printed), keyIn(before));
  assert.match(printed, /^robot +robot +bound +SHA256:\S+ +2 +2 +20\S+Z +20\S+Z/m);
  assert.match(await follow("terminal-2"), /refreshed its identity|joined the cluster/);
  const again = await terminals["terminal-1"]!.run(["tctl bound-keypair ls"]);
  assert.notEqual(keyIn(again), keyIn(printed));
});

test("it is copied, and the copy is caught", async () => {
  const from = terminals["terminal-2"]!.printed.length;
  const printed = await follow("terminal-1");
  assert.match(printed, /^generation-\S+ +bot_instance_id:\S+ +generation \d+ was presented, but/m);
  assert.doesNotMatch(printed, /^join-state-/m);
  assert.match(printed, /bot\.join\.failed +failure/);
  await terminals["terminal-2"]!.prints(/is locked/, from);
});

test("the machine is let back in", async () => {
  const printed = await follow("terminal-1");
  assert.match(printed, /^lock\/generation-\S+ removed$/m);
  assert.match(printed, /^token\/robot reset: until 20/m);
  // The reset is used by the next attempt, once: a refresh that it lets through as a recovery, or one.
  const joins = printed.match(/^.*bot\.join +success .*$/gm)!;
  const used = joins.filter((line) => line.includes("allowed_by=reset"));
  assert.equal(used.length, 1, printed);
  assert.match(used[0]!, /recovery=true/);
});

test("the end, and nothing of the guide was left out", async () => {
  await follow("terminal-2");
  const printed = await follow("terminal-1");
  assert.match(printed, /^bot\/robot removed$/m);
  for (const terminal of Object.values(terminals)) await terminal.close();
  assert.equal(next, blocks.length);
});
