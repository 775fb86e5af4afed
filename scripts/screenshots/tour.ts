import type { Page } from "playwright-core";
import { settled, type Browser } from "#testing/browser";
import type { Scene } from "./scene.ts";

export interface Stop {
  readonly name: string;
  readonly path: string;
  /** Shown in docs/: in every look, or wide and light only. */
  readonly main?: "every look" | "once";
  /** Pressed, one after the other, before the picture. */
  readonly press?: readonly string[];
  readonly whole?: true;
  /** The first link of the first row leads there. */
  readonly follow?: true;
}

const invitation: Stop = { name: "invitation", path: "invitation", main: "once" };
const secondFactor: Stop = { name: "bot-second-factor", path: "bots/ci-deploy", main: "once" };

const stops: readonly Stop[] = [
  { name: "bots", path: "bots", main: "once" },
  { name: "bot", path: "bots/ci-deploy", main: "every look", whole: true },
  { name: "bot-locked", path: "bots/nightly-report" },
  { name: "bot-edit", path: "bots/ci-deploy", press: ["Edit"] },
  { name: "bot-lock", path: "bots/ci-deploy", press: ["Lock"] },
  { name: "bot-delete", path: "bots/ci-deploy", press: ["Delete"] },
  { name: "add-bot", path: "add-bot", main: "once" },
  { name: "add-bot-github", path: "add-bot?how=github" },
  { name: "instances", path: "instances", main: "every look" },
  { name: "instance", path: "instances", follow: true, whole: true },
  { name: "tokens", path: "tokens" },
  { name: "token-edit", path: "tokens/ci-deploy-runner-7?view=form" },
  { name: "locks", path: "locks" },
  { name: "roles", path: "resources/role" },
  { name: "role", path: "resources/role/deploy-staging", main: "once" },
  { name: "role-form", path: "resources/role/deploy-staging?view=form" },
  { name: "role-yaml", path: "resources/role/deploy-staging?view=yaml" },
  { name: "users", path: "resources/user" },
  { name: "user", path: "resources/user/admin" },
  { name: "apps", path: "resources/app" },
  { name: "nodes", path: "resources/node" },
  { name: "audit", path: "audit", main: "once" },
  { name: "cluster", path: "cluster" },
  { name: "account", path: "account" },
];

export interface TourOptions {
  readonly scene: Scene;
  readonly browser: Browser;
  readonly wanted: (stop: Stop) => boolean;
  readonly fileOf: (name: string) => string;
}

/** One person's way through the page, with a picture at each stop. */
export class Tour {
  readonly #page: Page;
  readonly #origin: string;
  readonly #about: Pick<TourOptions, "fileOf" | "wanted">;

  private constructor(page: Page, origin: string, about: TourOptions) {
    this.#page = page;
    this.#origin = origin;
    this.#about = about;
  }

  static async begin(about: TourOptions): Promise<Tour> {
    const { cluster } = about.scene;
    await cluster.cluster.inviteFirstUser("admin").catch(() => undefined);
    const { url } = await cluster.admin.auth.inviteUser({ user: "admin" });
    const page = await about.browser.page();
    page.on("pageerror", (error) => console.error(`  ${page.url()}: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("403"))
        console.error(`  ${page.url()}: ${message.text()}`);
    });
    const tour = new Tour(page, new URL(url).origin, about);
    await page.goto(url);
    await page.getByText("Welcome, admin").waitFor();
    await tour.#picture(invitation);
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.getByRole("heading", { name: "Bots", exact: true }).waitFor();
    return tour;
  }

  async run(): Promise<void> {
    await this.#verify();
    for (const stop of stops.filter(this.#about.wanted)) await this.#visit(stop);
  }

  /** So that what needs a second factor is shown. */
  async #verify(): Promise<void> {
    await this.#open("bots/ci-deploy");
    await this.#picture(secondFactor);
    await this.#page.getByRole("button", { name: "Verify" }).first().click();
    await this.#page
      .locator("dialog")
      .getByRole("button", { name: "Use a passkey" })
      .last()
      .click();
    await this.#page.locator("dialog").waitFor({ state: "detached" });
  }

  async #visit(stop: Stop): Promise<void> {
    const { path, press = [], follow } = stop;
    await this.#open(path);
    if (follow) await this.#page.getByRole("row").nth(1).getByRole("link").first().click();
    await settled(this.#page);
    for (const button of press)
      await this.#page.getByRole("button", { name: button, exact: true }).first().click();
    await this.#picture(stop);
  }

  async #open(path: string): Promise<void> {
    await this.#page.goto(`${this.#origin}/web/${path}`);
    await this.#page.locator("main h1").waitFor();
  }

  /** Once nothing loads any more. */
  async #picture(stop: Stop): Promise<void> {
    if (!this.#about.wanted(stop)) return;
    await settled(this.#page);
    await this.#page.evaluate("document.fonts.ready");
    const fullPage = stop.whole ?? false;
    const path = this.#about.fileOf(stop.name);
    await this.#page.screenshot({ path, fullPage, animations: "disabled" });
  }
}
