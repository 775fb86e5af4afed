// npm run build:actions: the bundles of the GitHub Actions, which are committed. With --koffi it also
// fetches koffi's native parts for them: once for each version of koffi.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ACTIONS_DIST, actionBundles } from "./action-bundles.ts";
import { fetchParts } from "./koffi.ts";

const bundles = await actionBundles();
await mkdir(ACTIONS_DIST, { recursive: true });
for (const [name, text] of bundles) await writeFile(join(ACTIONS_DIST, name), text);
if (process.argv.includes("--koffi")) await fetchParts(ACTIONS_DIST);
console.log(`${ACTIONS_DIST}/ holds ${[...bundles.keys()].join(", ")}`);
