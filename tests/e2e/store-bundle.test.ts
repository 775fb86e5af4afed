import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");

const PROGRAM = `
  import { silentLogger, systemClock } from "#base/kernel";
  import { openSqliteStore } from "#base/storage";
  await using store = await openSqliteStore({
    directory: process.argv[2], clock: systemClock, logger: silentLogger, indexes: [],
  });
  await store.commit([{ op: "create", kind: "doc", name: "a", value: { n: 1 } }]);
  console.log(JSON.stringify((await store.get("doc", "a")).value));
`;

it("a bundle's store finds its worker beside the bundle", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tenon-bundle-"));
  try {
    const common = {
      bundle: true,
      platform: "node",
      format: "esm",
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
    } as const;
    const stdin = {
      contents: PROGRAM,
      resolveDir: ROOT,
      sourcefile: "main.ts",
      loader: "ts",
    } as const;
    await build({ ...common, stdin, outfile: join(directory, "main.mjs") });
    const worker = join(ROOT, "src/base/storage/sqlite-worker.ts");
    await build({
      ...common,
      entryPoints: [worker],
      outfile: join(directory, "sqlite-worker.mjs"),
    });
    const args = [join(directory, "main.mjs"), join(directory, "data")];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: directory });
    assert.equal(stdout, '{"n":1}\n');
  } finally {
    await rm(directory, { recursive: true });
  }
});
