// npm run screenshots [-- --all FOLDER]: pictures of the main pages for docs/, or of every page in
// both themes at three widths, to be looked at.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Browser } from "#testing/browser";
import { Scene } from "./scene.ts";
import { Tour } from "./tour.ts";

const { values } = parseArgs({
  options: { all: { type: "string" }, only: { type: "string" }, look: { type: "string" } },
});
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
    fileOf: (page) => join(folder, `${page}-${name}.png`),
  });
  await tour.run({ every: values.all !== undefined, only: values.only?.split(",") });
  console.log(`${folder}: ${name}`);
}

function nameOf({ dark, width }: { dark: boolean; width: number }): string {
  return `${dark ? "dark" : "light"}-${width}`;
}
