// What bench/web.ts sees in Chromium: each round is a new browser, which has nothing yet.
import { Browser } from "#testing/browser";
import { BUSY_BOT } from "./web-crowd.ts";
import type { WebStage } from "./web-stage.ts";
import { median, row, type BenchRow } from "./support.ts";

/** A page at work: milliseconds from its navigation, and what it loaded. */
interface Seen {
  readonly ms: number;
  readonly scriptBytes: number;
}

/** In the page: when every panel that the document names is filled, and Edit can be pressed. */
const BOT_PAGE_READY = `(() => {
  const panels = ["Bot info", "Roles and traits", "Join tokens", "Active instances"]
    .map((name) => document.querySelector('section[aria-label="' + name + '"]'));
  const isFilled = panels.every((panel) => panel && !panel.querySelector(".loading"));
  const edit = [...document.querySelectorAll("main button")].find((each) => each.textContent === "Edit");
  return isFilled && edit && !edit.disabled && edit.getAttribute("aria-disabled") !== "true"
    ? performance.now() : false;
})()`;
const LIST_READY = `document.querySelector("main a[href*='/bots/']") ? performance.now() : false`;
const LOADED = `document.readyState === "complete" ? performance.now() : false`;
/** Seldom, so that asking does not hold up what is asked for. */
const WAIT = `new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("the page was not ready within a minute")), 60_000);
  const look = () => globalThis.readyAt ? resolve(globalThis.readyAt) : setTimeout(look, 50);
  look();
})`;
/** As they came over the wire: compressed. */
const SCRIPT_BYTES = `performance.getEntriesByType("resource")
  .filter(({ name }) => name.endsWith(".js"))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;

export async function browserRows(stage: WebStage, rounds: number): Promise<BenchRow[]> {
  const seen: { bot: Seen[]; list: Seen[]; floor: Seen[] } = { bot: [], list: [], floor: [] };
  const { line, floor } = stage;
  for (let round = 0; round <= rounds; round++) {
    const bot = await look(line.origin, `/web/bots/${BUSY_BOT}`, BOT_PAGE_READY, line.cookie);
    const list = await look(line.origin, "/web/bots", LIST_READY, line.cookie);
    const plain = await look(floor.origin, `/page/${bot.scriptBytes}`, LOADED);
    // The first one does not count.
    if (round === 0) continue;
    seen.bot.push(bot);
    seen.list.push(list);
    seen.floor.push(plain);
  }
  const ms = (each: readonly Seen[]): number => median(each.map((one) => one.ms));
  const peer = { name: "a static page with a script of that size", value: ms(seen.floor) };
  const kb = (each: readonly Seen[]): number => median(each.map((one) => one.scriptBytes)) / 1_024;
  return [
    row("bot_page_interactive_ms", ms(seen.bot), "ms", peer, "cold cache, a new browser each time"),
    row("bots_page_shown_ms", ms(seen.list), "ms", peer, "likewise, its first row"),
    row("first_paint_js_kb", kb(seen.list), "KB", undefined, "the list of bots, compressed"),
    row("bot_page_js_kb", kb(seen.bot), "KB", undefined, "until it is interactive"),
  ];
}

async function look(origin: string, path: string, ready: string, cookie = ""): Promise<Seen> {
  await using browser = await Browser.open();
  const [name = "", value = ""] = cookie.split("=");
  if (cookie !== "")
    await browser.context.addCookies([
      { name, value, url: origin, secure: true, httpOnly: true, sameSite: "Strict" },
    ]);
  const page = await browser.context.newPage();
  await page.addInitScript(`(() => {
    const look = () => {
      const at = ${ready};
      if (at === false) requestAnimationFrame(look);
      else globalThis.readyAt = at;
    };
    requestAnimationFrame(look);
  })()`);
  await page.goto(origin + path, { waitUntil: "commit" });
  const ms = Number(await page.evaluate(WAIT));
  return { ms, scriptBytes: Number(await page.evaluate(SCRIPT_BYTES)) };
}
