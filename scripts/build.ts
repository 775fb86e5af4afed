// npm run build: bundles of the three commands in dist/, with every subcommand loaded when it is used.
import { build, type Plugin } from "esbuild";
import { chmod, rm, writeFile } from "node:fs/promises";

const programs = ["tenon", "tbot", "tctl"];

/** Bundled CommonJS packages ask for Node's own modules through `require`. */
const requireShim =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/**
 * An ES import of `node:http` makes Node call every getter of the module to copy its exports, and one
 * of them loads a whole WebSocket client: 16 ms of each start. Through `require` nothing is copied.
 */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^(?:node:)?https?$/ }, ({ path, namespace }) =>
      namespace === "builtin" ? { path, external: true } : { path, namespace: "builtin" },
    );
    bundler.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }));
  },
};

await rm("dist", { recursive: true, force: true });
await build({
  entryPoints: {
    ...Object.fromEntries(programs.map((name) => [name, `src/programs/${name}/main.ts`])),
    "sqlite-worker": "src/base/storage/sqlite-worker.ts",
  },
  outdir: "dist",
  chunkNames: "[name]-[hash]", // beside the worker, which the store looks for next to itself
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  format: "esm",
  platform: "node",
  target: "node24",
  legalComments: "none",
  plugins: [lazyBuiltins],
  banner: { js: requireShim },
  logLevel: "warning",
});
await writeFile("dist/package.json", '{ "type": "module" }\n');
await Promise.all(programs.map((name) => chmod(`dist/${name}.js`, 0o755)));
console.log(`dist/ holds ${programs.map((name) => `${name}.js`).join(", ")}`);
