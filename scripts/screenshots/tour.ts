import type { Page } from "playwright-core";
import { settled, type Browser } from "#testing/browser";
import type { Scene } from "./scene.ts";

interface Stop {
  readonly name: string;
  readonly path: string;
  /** Shown in docs/. */
  readonly main?: true;
  /** Pressed, one after the other, before the picture. */
  readonly press?: readonly string[];
  readonly whole?: true;
  /** The first link of the first row leads there. */
  readonly follow?: true;
}

const stops: readonly Stop[] = [
  { name: "bots", path: "bots", main: true },
  { name: "bot", path: "bots/ci-deploy", main: true, whole: true },
  { name: "bot-locked", path: "bots/nightly-report" },
  { name: "bot-edit", path: "bots/ci-deploy", press: ["Edit"] },
  { name: "bot-lock", path: "bots/ci-deploy", press: ["Lock"] },
  { name: "bot-delete", path: "bots/ci-deploy", press: ["Delete"] },
  { name: "add-bot", path: "add-bot", main: true },
  { name: "add-bot-github", path: "add-bot?how=github" },
  { name: "instances", path: "instances", main: true },
  { name: "instance", path: "instances", follow: true, whole: true },
  { name: "tokens", path: "tokens" },
  { name: "token-edit", path: "tokens/ci-deploy-runner-7?view=form" },
  { name: "locks", path: "locks" },
  { name: "roles", path: "resources/role" },
  { name: "role", path: "resources/role/deploy-staging", main: true },
  { name: "role-form", path: "resources/role/deploy-staging?view=form" },
  { name: "role-yaml", path: "resources/role/deploy-staging?view=yaml" },
  { name: "users", path: "resources/user" },
  { name: "user", path: "resources/user/admin" },
  { name: "apps", path: "resources/app" },
  { name: "nodes", path: "resources/node" },
  { name: "audit", path: "audit", main: true },
  { name: "cluster", path: "cluster" },
  { name: "account", path: "account" },
];

/** One person's way through the page, with a picture at each stop. */
export class Tour {
  readonly #page: Page;
  readonly #origin: string;
  readonly #fileOf: (name: string) => string;

  private constructor(page: Page, origin: string, fileOf: (name: string) => string) {
    this.#page = page;
    this.#origin = origin;
    this.#fileOf = fileOf;
  }

  static async begin(about: {
    scene: Scene;
    browser: Browser;
    fileOf: (name: string) => string;
  }): Promise<Tour> {
    const { cluster } = about.scene;
    await cluster.cluster.inviteFirstUser("admin").catch(() => undefined);
    const { url } = await cluster.admin.auth.inviteUser({ user: "admin" });
    const page = await about.browser.page();
    page.on("pageerror", (error) => console.error(`  ${page.url()}: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("403"))
        console.error(`  ${page.url()}: ${message.text()}`);
    });
    const tour = new Tour(page, new URL(url).origin, about.fileOf);
    await page.goto(url);
    await page.getByText("Welcome, admin").waitFor();
    await tour.#picture("invitation");
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    return tour;
  }

  async run({
    every,
    only,
  }: {
    every: boolean;
    only?: readonly string[] | undefined;
  }): Promise<void> {
    await this.#verify();
    for (const stop of stops.filter(({ name, main }) => only?.includes(name) ?? (every || main)))
      await this.#visit(stop);
  }

  /** So that what needs a second factor is shown. */
  async #verify(): Promise<void> {
    await this.#open("bots/ci-deploy");
    await this.#picture("bot-second-factor");
    await this.#page.getByRole("button", { name: "Verify" }).first().click();
    await this.#page
      .locator("dialog")
      .getByRole("button", { name: "Use a passkey" })
      .last()
      .click();
    await this.#page.locator("dialog").waitFor({ state: "detached" });
  }

  async #visit({ name, path, press = [], whole, follow }: Stop): Promise<void> {
    await this.#open(path);
    if (follow) await this.#page.getByRole("row").nth(1).getByRole("link").first().click();
    await settled(this.#page);
    for (const button of press)
      await this.#page.getByRole("button", { name: button, exact: true }).first().click();
    await this.#picture(name, whole);
  }

  async #open(path: string): Promise<void> {
    await this.#page.goto(`${this.#origin}/web/${path}`);
    await this.#page.locator("main h1").waitFor();
  }

  /** Once nothing loads any more. */
  async #picture(name: string, whole = false): Promise<void> {
    await settled(this.#page);
    await this.#page.evaluate("document.fonts.ready");
    await this.#page.screenshot({
      path: this.#fileOf(name),
      fullPage: whole,
      animations: "disabled",
    });
  }
}
