// npm run screenshots [-- --all FOLDER]: pictures of the main pages for docs/, or of every page in
// both themes at three widths, to be looked at.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Browser } from "#testing/browser";
import { Scene } from "./scene.ts";
import { Tour, type Stop } from "./tour.ts";

const { values } = parseArgs({
  options: { all: { type: "string" }, only: { type: "string" }, look: { type: "string" } },
});
const FIRST = "light-1440";
const looks = [false, true]
  .flatMap((dark) => [400, 900, 1440].map((width) => ({ dark, width })))
  .filter((look) => values.look === undefined || values.look === nameOf(look));
const wanted = values.all
  ? looks
  : looks.filter(({ dark, width }) => width === 1440 || (width === 400 && !dark));
const folder = values.all ?? "docs/screenshots";

await mkdir(folder, { recursive: true });
await using scene = await Scene.open();
for (const look of wanted) {
  await using browser = await Browser.open(look);
  const name = nameOf(look);
  const tour = await Tour.begin({
    scene,
    browser,
    wanted: (stop) => isWanted(stop, name),
    fileOf: (page) => join(folder, `${page}-${name}.png`),
  });
  await tour.run();
  console.log(`${folder}: ${name}`);
}

function isWanted({ name, main }: Stop, look: string): boolean {
  if (values.only) return values.only.split(",").includes(name);
  if (values.all || main === "every look") return true;
  return main === "once" && look === FIRST;
}

function nameOf({ dark, width }: { dark: boolean; width: number }): string {
  return `${dark ? "dark" : "light"}-${width}`;
}
