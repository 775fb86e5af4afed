// What the page must not let happen, in a real browser against a real cluster.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { after, before, suite, test } from "node:test";
import { Browser } from "#testing/browser";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";
import type { WebClient } from "#testing/web-client";
import { WebPerson } from "#testing/web-person";
import { WebTab } from "#testing/web-tab";

suite("what the page must not let happen", needs("chromium"), () => {
  let cluster: TestCluster;
  let browser: Browser;
  let tab: WebTab;
  const clock = new ManualClock(Date.now());
  const person = (name: string, roles: readonly string[]) =>
    WebPerson.make(cluster, clock, { name, roles });

  before(async () => {
    cluster = await startCluster({ publicAddr: "localhost", name: "tenon.localhost", clock });
    browser = await Browser.open();
    const viewing = [{ resources: ["bot"], verbs: ["list", "read"] }];
    await cluster.put({
      kind: "role",
      version: "v1",
      metadata: { name: "viewer" },
      spec: { allow: { rules: viewing } },
    });
    await addBots("robot");
    tab = await WebTab.open(browser, cluster);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const addBots = async (...names: readonly string[]): Promise<void> => {
    const documents = names.map((name) => ({
      json: JSON.stringify({ kind: "bot", version: "v1", metadata: { name }, spec: { roles: [] } }),
    }));
    await cluster.admin.resources.create({ documents });
  };
  const verified = async (name: string): Promise<WebClient> =>
    await (await person(name, ["editor", "auditor", "access"])).verified();

  const assertOff = async (names: readonly string[], role: string): Promise<void> => {
    for (const name of names) {
      const button = tab.button(name);
      await until(`${name} is off`, async () => await button.isDisabled());
      assert.match((await button.getAttribute("title")) ?? "", new RegExp(`roles \\(${role}\\)`));
    }
  };

  test("a viewer changes nothing, and is told why; what may not be seen says so", async () => {
    await tab.as(await (await person("vi", ["viewer"])).signIn());
    await tab.open("bots/robot");
    await assertOff(["Edit", "Lock", "Delete"], "viewer");
    await tab.sees("You may not see this");
    for (const path of ["locks", "audit", "cluster", "resources/role", "instances"]) {
      await tab.open(path);
      await tab.sees("You may not see this");
    }
  });

  test("an auditor sees bots, locks and the log, and changes none of it", async () => {
    await tab.as(await (await person("au", ["auditor"])).signIn());
    const name = await cluster.lock({ user: "bot-robot" }, "stolen laptop");
    await tab.open("bots/robot");
    await tab.sees("stolen laptop");
    await assertOff(["Edit", "Lock", "Delete", "Unlock"], "auditor");
    await cluster.admin.resources.delete({ kind: "lock", name });
    await tab.open("audit");
    const log = tab.page.getByRole("table", { name: "Viewing the audit log" });
    await log.getByRole("row").nth(1).waitFor();
  });

  test("a role that is taken away while the page is open takes its buttons along", async () => {
    await tab.as(await (await person("rory", ["editor"])).signIn());
    await tab.open("bots/robot");
    await until("Edit is on", async () => await tab.button("Edit").isEnabled());
    const user = await cluster.resources.require("user", "rory");
    await cluster.put({ ...user, spec: { ...user.spec, roles: ["viewer"] } });
    await assertOff(["Edit", "Lock", "Delete"], "viewer");
    await tab.sees("You may not see this");
  });

  test("a rule that is taken out of a role does so too", async () => {
    const spec = { allow: { rules: [{ resources: ["bot"], verbs: ["*"] }] } };
    const role = { kind: "role", version: "v1", metadata: { name: "keeper" }, spec };
    await cluster.put(role);
    await tab.as(await (await person("kim", ["keeper"])).signIn());
    await tab.open("bots/robot");
    await until("Edit is on", async () => await tab.button("Edit").isEnabled());
    await cluster.put({
      ...role,
      spec: { allow: { rules: [{ resources: ["bot"], verbs: ["read"] }] } },
    });
    await assertOff(["Edit", "Delete"], "keeper");
  });

  test("a session that nobody used for an hour is over in the open page, too", async () => {
    await tab.as(await (await person("ida", ["editor"])).signIn());
    await tab.open("bots");
    await clock.advance(50 * 60_000);
    await tab.open("bots");
    for (let minutes = 0; minutes < 62; minutes += 1) await clock.advance(60_000);
    await tab.sees(/Your session has ended/);
    await tab.heading("Sign in");
  });

  test("another site's page, with the person's own cookie, changes nothing and is not shown inside", async () => {
    await tab.as(await verified("ola"));
    const target = `${tab.origin}/v1/webapi/sites/-/machine-id/bot`;
    const body = JSON.stringify({ name: "forged", roles: [] });
    const attack = `<iframe src="${tab.origin}/web/bots"></iframe><h1></h1><script>
      const options = { method: "POST", mode: "no-cors", credentials: "include", body: ${JSON.stringify(body)} };
      fetch(${JSON.stringify(target)}, options)
        .finally(() => { document.querySelector("h1").textContent = "done"; });
    </script>`;
    const site = createServer((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end(attack),
    ).listen(0, "127.0.0.1");
    await new Promise((resolve) => site.once("listening", resolve));
    const other = await browser.context.newPage();
    const asked = other.waitForRequest(target);
    await other.goto(`http://localhost:${portOf(site)}/`);
    await other.getByText("done").waitFor();
    const cookies = (await (await asked).allHeaders())["cookie"] ?? "";
    const answer = await (await asked).response();
    assert.notEqual(answer?.status(), 200, `with "${cookies}"`);
    assert.equal(await cluster.resources.get("bot", "forged"), undefined);
    assert.equal(await other.frameLocator("iframe").getByText("Bots").count(), 0);
    await other.close();
    site.close();
  });

  test("a program with the cookie and no Origin, or another's, changes nothing", async () => {
    const ola = await browser.context.cookies();
    const cookie = ola.map(({ name, value }) => `${name}=${value}`).join("; ");
    const url = `${tab.origin}/v1/webapi/sites/-/machine-id/bot`;
    const data = { name: "forged", roles: [] };
    for (const origin of [undefined, "null", "https://evil.example", "http://localhost"]) {
      const headers = { cookie, ...(origin === undefined ? {} : { origin }) };
      const answer = await tab.page.request.post(url, { data, headers });
      assert.equal(answer.status(), 403, origin ?? "none");
    }
    const own = { cookie, origin: tab.origin };
    assert.equal((await tab.page.request.post(url, { data, headers: own })).status(), 200);
  });

  test("every answer forbids to be framed, sniffed or kept, and every script but our own files", async () => {
    for (const path of ["web/bots", "web/sign-in"]) {
      const headers = (await tab.page.request.get(`${tab.origin}/${path}`)).headers();
      assert.equal(headers["x-frame-options"], "DENY");
      assert.match(
        headers["content-security-policy"] ?? "",
        /default-src 'none'; script-src 'self'/,
      );
      assert.match(headers["content-security-policy"] ?? "", /frame-ancestors 'none'/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
    }
    const api = await tab.page.request.get(`${tab.origin}/v1/webapi/sites/-/context`);
    assert.equal(api.headers()["cache-control"], "no-store");
  });

  test("a double click on a button that changes something is one change", async () => {
    await tab.as(await verified("dora"));
    await addBots("clicked");
    const changes: string[] = [];
    tab.page.on("request", (request) => {
      if (request.method() !== "GET")
        changes.push(`${request.method()} ${new URL(request.url()).pathname}`);
    });
    const twice = async (name: string, wanted: RegExp): Promise<void> => {
      changes.length = 0;
      await tab.page.locator("dialog").getByRole("button", { name, exact: true }).last().dblclick();
      await tab.closed();
      assert.equal(changes.length, 1, changes.join(", "));
      assert.match(changes[0]!, wanted);
    };
    await tab.open("bots/clicked");
    await tab.press("Edit");
    await tab.field("Longest session").fill("3h");
    await twice("Save", /^PUT \/v2\/webapi\/.*bot\/clicked$/);
    await tab.press("Lock");
    await twice("Lock", /^PUT .*\/locks$/);
    await tab.press("Unlock");
    await twice("Unlock", /^DELETE .*\/locks\//);
    await tab.press("Delete");
    await twice("Delete", /^DELETE .*bot\/clicked$/);
    await tab.open("account");
    await tab.press("Sign out everywhere else");
    await twice("Sign out", /^DELETE .*account\/sessions$/);
  });

  test("a connection that is lost shows, heals, and then shows what changed meanwhile", async () => {
    const wire = await Wire.open(cluster.address.port);
    const cut = new WebTab(await browser.page(), { address: { port: wire.port } });
    await cut.as(await verified("wim"));
    await cut.open("bots");
    await cut.page.getByRole("link", { name: "robot", exact: true }).waitFor();
    await wire.cut();
    await cut.sees("The connection to the cluster is lost");
    await addBots("meanwhile");
    await wire.mend();
    await cut.page.getByRole("link", { name: "meanwhile", exact: true }).waitFor();
    await cut.page
      .getByText("The connection to the cluster is lost")
      .waitFor({ state: "detached" });
    await wire.cut();
    await cut.page.close();
  });
});

const portOf = (server: { address(): unknown }): number =>
  (server.address() as { port: number }).port;

/** Between a browser and the cluster: it can be cut, and mended. */
class Wire {
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: Server;
  port = 0;

  private constructor(to: number) {
    this.#to = to;
    this.#server = this.#make();
  }

  static async open(to: number): Promise<Wire> {
    const wire = new Wire(to);
    await wire.mend();
    return wire;
  }

  async mend(): Promise<void> {
    this.#server = this.#make();
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    this.port = portOf(this.#server);
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #make(): Server {
    return createTcpServer((socket) => {
      const onward = connect(this.#to, "127.0.0.1");
      for (const each of [socket, onward])
        this.#sockets.add(each.on("error", () => {}).on("close", () => this.#sockets.delete(each)));
      socket.pipe(onward).pipe(socket);
    });
  }
}
