// The bundles of the GitHub Actions. They are committed: a runner fetches the repository, and
// installs and builds nothing.
import { basename } from "node:path";
import { bundle } from "./bundle.ts";

export const ACTIONS_DIST = "actions/dist";

const sources = "src/programs/github-action";
/** Kept apart from the program, so that Node's cache of compiled code serves it. */
const launcher = `#!/usr/bin/env node
import { enableCompileCache } from "node:module";
enableCompileCache();
await import("./tbot-program.mjs");
`;

/** Name to source. */
const entries = {
  "bot-api": `${sources}/bot-api.ts`,
  "bot-api-post": `${sources}/bot-api-post.ts`,
  "start-service": `${sources}/start-service.ts`,
  "tbot-program": "src/programs/tbot/main.ts",
};

/** Name to content. Each is built alone, so that it changes only with what it is made of. */
export async function actionBundles(): Promise<ReadonlyMap<string, string>> {
  const bundles = await Promise.all(
    Object.entries(entries).map(([name, source]) =>
      bundle({
        entryPoints: { [name]: source },
        outdir: ACTIONS_DIST,
        outExtension: { ".js": ".mjs" },
      }),
    ),
  );
  const texts = bundles.flat().map(({ path, text }) => [basename(path), text] as const);
  return new Map([...texts, ["tbot.mjs", launcher]]);
}
