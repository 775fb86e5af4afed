// npm run build: the web page, and bundles of the three commands in dist/, with every subcommand
// loaded when it is used; then npm run build:actions.
import { VERSION } from "#base/kernel";
import { chmod, cp, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { bundle } from "./bundle.ts";
import { copyInstalled } from "./koffi.ts";

const programs = ["tenon", "tbot", "tctl"];
/** For `npm install ./dist`: the commands, and `import … from "tenon"`. */
const manifest = {
  name: "tenon",
  version: VERSION,
  license: "Apache-2.0",
  type: "module",
  exports: { ".": "./library.js" },
  bin: Object.fromEntries(programs.map((name) => [name, `${name}.js`])),
};

await rm("dist", { recursive: true, force: true });
const files = await bundle({
  entryPoints: {
    ...Object.fromEntries(programs.map((name) => [name, `src/programs/${name}/main.ts`])),
    library: "src/programs/library/index.ts",
    "sqlite-worker": "src/base/storage/sqlite-worker.ts",
  },
  outdir: "dist",
  chunkNames: "[name]-[hash]", // beside the worker, which the store looks for next to itself
  splitting: true,
  keepNames: true,
});
await write("dist", [
  ...files.map(({ path, text }) => [basename(path), text] as const),
  ["package.json", `${JSON.stringify(manifest, undefined, 2)}\n`],
]);
await copyInstalled("dist");
await cp("web/dist", "dist/web", { recursive: true });
await Promise.all(programs.map((name) => chmod(`dist/${name}.js`, 0o755)));
console.log(`dist/ holds library.js, ${programs.map((name) => `${name}.js`).join(", ")}`);

async function write(
  directory: string,
  texts: readonly (readonly [name: string, text: string])[],
): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, text] of texts) await writeFile(join(directory, name), text);
}
