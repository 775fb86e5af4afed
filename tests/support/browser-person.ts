import type { Locator, Page } from "playwright-core";
import { settled, type Browser } from "./browser.ts";
import type { TestCluster } from "./cluster.ts";

/** One person at the page, in a real browser, with a passkey. */
export class Person {
  readonly page: Page;
  readonly #origin: string;

  private constructor(page: Page, origin: string) {
    this.page = page;
    this.#origin = origin;
  }

  /** Takes an invitation up: of a user that is there, or of the first one. */
  static async enter(cluster: TestCluster, browser: Browser, user: string): Promise<Person> {
    const url =
      user === "admin"
        ? await cluster.cluster.inviteFirstUser("admin")
        : (await cluster.admin.auth.inviteUser({ user })).url;
    const page = await browser.page();
    await page.goto(url);
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.locator("main.page").waitFor();
    return new Person(page, new URL(url).origin);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.#origin}/web/${path}`);
    await settled(this.page);
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).first().click();
  }

  async pressInDialog(name: string): Promise<void> {
    const buttons = this.page.locator("dialog").getByRole("button", { name, exact: true });
    await buttons.last().click();
  }

  /** Gives the second factor where the page asks for it. */
  async verify(): Promise<void> {
    await this.press("Verify");
    await this.pressInDialog("Use a passkey");
  }

  panel(name: string): Locator {
    return this.page.getByRole("region", { name, exact: true }).first();
  }

  field(name: string): Locator {
    return this.page.getByRole("textbox", { name, exact: true });
  }

  choice(name: string): Locator {
    return this.page.getByRole("combobox", { name, exact: true });
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }
}
