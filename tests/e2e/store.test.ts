import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { codeOf, messageOf, silentLogger, systemClock } from "#base/kernel";
import { openSqliteStore, type Store } from "#base/storage";
import { until } from "#testing/wait";
import { checkWhole, indexes } from "./store/load.ts";

const CHILD = fileURLToPath(import.meta.resolve("./store/child.ts"));

describe("a store in a process that is killed or refused the disk", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-store-"));
  });
  after(() => rm(directory, { recursive: true }));

  const open = (path: string): Promise<Store> =>
    openSqliteStore({ directory: path, clock: systemClock, indexes, logger: silentLogger });

  it("keeps every acknowledged batch, and no half one, whenever SIGKILL strikes", async () => {
    const path = join(directory, "killed");
    const acknowledged = new Map<number, number>();
    for (let round = 0; round < 12; round++) {
      const child = start("load", path, { killAtLine: 2 + 37 * round });
      await child.ended;
      for (const line of child.lines) {
        const [word, id, n] = line.split(" ");
        if (word === "acknowledged") acknowledged.set(Number(id), Number(n));
      }
      await using store = await open(path);
      await checkWhole(store, acknowledged);
    }
    assert.equal(acknowledged.size, 8);
  });

  it("is refused to a second process, by name and pid, until the first one is gone", async () => {
    const path = join(directory, "held");
    const child = start("hold", path);
    await until("it is open", () => child.lines.includes("open"));
    await assert.rejects(open(path), (error) => {
      assert.equal(codeOf(error), "already_exists");
      assert.ok(messageOf(error).includes(path), messageOf(error));
      assert.ok(messageOf(error).includes(`pid ${child.pid}`), messageOf(error));
      return true;
    });
    await child.kill();
    await using store = await open(path);
    assert.equal(await store.position(), 0);
  });

  it("refuses what the disk cannot take, keeps the rest, and opens again", async () => {
    const path = join(directory, "limited");
    // The limit on the size of a file makes every write beyond it fail, as a broken disk does.
    const child = start("load", path, { fileBlocks: 2_000 });
    await child.ended;
    const refusals = child.lines.filter((line) => line.startsWith("refused"));
    assert.equal(refusals.length, 8);
    for (const line of refusals)
      assert.match(line, /^refused unavailable the store failed: the disk failed to .* write/);
    const acknowledged = child.lines.filter((line) => line.startsWith("acknowledged"));
    assert.ok(acknowledged.length > 100, `${acknowledged.length} were acknowledged`);
    const told = new Map(
      acknowledged.map((line) => line.split(" ").slice(1).map(Number) as [number, number]),
    );
    await using store = await open(path);
    await checkWhole(store, told);
    await store.commit([{ op: "put", kind: "pair", name: "after", value: {} }]);
  });
});

interface Child {
  readonly lines: readonly string[];
  readonly pid: number | undefined;
  readonly ended: Promise<unknown>;
  kill(): Promise<void>;
}

interface Limits {
  /** Killed as this line of its output arrives: what it tells must then be on the disk. */
  readonly killAtLine?: number;
  /** No file may grow beyond so many blocks of the shell's `ulimit -f`. */
  readonly fileBlocks?: number;
}

function start(mode: string, path: string, { killAtLine, fileBlocks }: Limits = {}): Child {
  const limit = fileBlocks === undefined ? "" : `ulimit -f ${fileBlocks};`;
  const args = ["-c", `${limit} exec "$0" "$@"`, process.execPath, CHILD, mode, path];
  const child = spawn("sh", args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    if (lines.push(line) === killAtLine) child.kill("SIGKILL");
  });
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]);
  return {
    lines,
    pid: child.pid,
    ended,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
