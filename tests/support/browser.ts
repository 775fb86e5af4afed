import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

/** Without these Chromium looks for Google's servers at every start. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Chromium without a window. It takes our self-signed certificate, as a person would at first. */
export class Browser implements AsyncDisposable {
  readonly context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, profile: string) {
    this.context = context;
    this.#profile = profile;
  }

  static async open(look: { dark?: boolean; width?: number } = {}): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), "tenon-browser-"));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: "/usr/bin/chromium",
      args: QUIET,
      ignoreHTTPSErrors: true,
      colorScheme: look.dark ? "dark" : "light",
      viewport: { width: look.width ?? 1280, height: 900 },
    });
    return new Browser(context, profile);
  }

  /** A page with an authenticator in the computer, which always verifies its person. */
  async page(): Promise<Page> {
    const page = await this.context.newPage();
    const devtools = await this.context.newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    await rm(this.#profile, { recursive: true, force: true });
  }
}

/** Once a page has a heading and none of its panels loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main h1").waitFor();
  // Detached is the first only when there is none: a condition in the page would need eval, which its policy refuses.
  await page.locator(".loading").first().waitFor({ state: "detached" });
}
