import type { Locator, Page } from "playwright-core";
import { settled, type Browser } from "./browser.ts";
import type { TestCluster } from "./cluster.ts";
import { until } from "./wait.ts";
import type { WebClient } from "./web-client.ts";

/** A tab of the page, as a person uses it. */
export class WebTab {
  readonly page: Page;
  readonly origin: string;

  constructor(page: Page, cluster: { readonly address: Pick<TestCluster["address"], "port"> }) {
    this.page = page;
    this.origin = `https://localhost:${cluster.address.port}`;
  }

  static async open(browser: Browser, cluster: TestCluster): Promise<WebTab> {
    return new WebTab(await browser.page(), cluster);
  }

  /** With an invitation that is taken up, by a passkey: of a user that is there, or of the first one. */
  static async enter(browser: Browser, cluster: TestCluster, user = "admin"): Promise<WebTab> {
    const url =
      user === "admin"
        ? await cluster.cluster.inviteFirstUser("admin")
        : (await cluster.admin.auth.inviteUser({ user })).url;
    const tab = await WebTab.open(browser, cluster);
    await tab.page.goto(url);
    await tab.press("Make a passkey");
    await tab.page.locator("main.page").waitFor();
    return tab;
  }

  /** The browser has this session from now on, as if its person had signed in there. */
  async as({ cookie }: WebClient): Promise<void> {
    const [name = "", value = ""] = cookie.split("=", 2);
    const about = { url: this.origin, secure: true, httpOnly: true, sameSite: "Strict" } as const;
    await this.page.context().addCookies([{ name, value, ...about }]);
  }

  async go(path: string): Promise<void> {
    await this.page.goto(`${this.origin}/web/${path}`);
  }

  /** With its first heading. */
  async open(path: string): Promise<void> {
    await this.go(path);
    await this.page.locator("main h1").waitFor();
  }

  /** With everything that it shows. */
  async settle(path: string): Promise<void> {
    await this.go(path);
    await settled(this.page);
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true }).first();
  }

  async press(name: string): Promise<void> {
    await this.button(name).click();
  }

  field(name: string): Locator {
    return this.page.locator("dialog").getByLabel(name, { exact: true }).last();
  }

  async inDialog(name: string): Promise<void> {
    await this.page.locator("dialog").getByRole("button", { name, exact: true }).last().click();
  }

  /** A field with options beneath it. */
  choice(name: string): Locator {
    return this.page.getByRole("combobox", { name, exact: true });
  }

  panel(name: string): Locator {
    return this.page.getByRole("region", { name, exact: true }).first();
  }

  /** Gives the second factor, with a passkey, where the page asks for it. */
  async verify(): Promise<void> {
    await this.press("Verify");
    await this.inDialog("Use a passkey");
  }

  /** No dialog is open any more. */
  async closed(): Promise<void> {
    const open = this.page.locator("dialog");
    const closed = until("the dialogs are closed", async () => (await open.count()) === 0);
    await closed.catch(async (error: unknown) => {
      throw new Error((await open.allInnerTexts()).join("\n"), { cause: error });
    });
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  async heading(name: string): Promise<void> {
    await this.page.getByRole("heading", { name, exact: true }).waitFor();
  }
}
