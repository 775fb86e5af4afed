// What every bundle of this project has in common.
import { build, type BuildOptions, type OutputFile, type Plugin } from "esbuild";

/**
 * Bundled CommonJS packages ask for Node's own modules through `require`; koffi looks for its native
 * part in `koffi/` beside the bundle.
 */
const shims = [
  'import { createRequire as __createRequire } from "node:module";',
  "const require = __createRequire(import.meta.url);",
  "process.resourcesPath ??= import.meta.dirname;",
];

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

/** The files of a bundle, to be written by the caller. The same sources make the same bytes. */
export async function bundle(
  options: Pick<BuildOptions, "entryPoints" | "outdir"> & BuildOptions,
): Promise<readonly OutputFile[]> {
  const { outputFiles = [] } = await build({
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node24",
    legalComments: "none",
    plugins: [lazyBuiltins],
    banner: { js: shims.join("\n") },
    logLevel: "warning",
    ...options,
  });
  return outputFiles;
}
