// npm run generate: writes docs/reference; tests/house/reference.test.ts compares it.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { referencePages } from "./reference.ts";

const directory = "docs/reference";
await mkdir(directory, { recursive: true });
const pages = await referencePages();
for (const name of await readdir(directory))
  if (!pages.has(name)) await rm(join(directory, name), { recursive: true });
for (const [name, text] of pages) await writeFile(join(directory, name), text);
console.log(`${directory} holds ${[...pages.keys()].join(", ")}`);
