import type { Clock } from "#base/kernel";
import assert from "node:assert/strict";
import type { TestCluster } from "./cluster.ts";
import { codeAt, WebClient } from "./web-client.ts";

const PASSWORD = "correct horse battery";
const STEP_MS = 30_000;

/** What moves on so that a code is another one. */
type TestClock = Pick<Clock, "now"> & { advance(ms: number): Promise<void> };

/** Somebody with a password and an authenticator app, on a clock that the test drives. */
export class WebPerson {
  readonly cluster: TestCluster;
  readonly name: string;
  readonly #clock: TestClock;
  password = PASSWORD;
  totp = "";

  private constructor(cluster: TestCluster, name: string, clock: TestClock) {
    this.cluster = cluster;
    this.name = name;
    this.#clock = clock;
  }

  /** Makes the user, who takes up an invitation. */
  static async make(
    cluster: TestCluster,
    clock: TestClock,
    { name, roles }: { name: string; roles: readonly string[] },
  ): Promise<WebPerson> {
    await cluster.put({ kind: "user", version: "v1", metadata: { name }, spec: { roles } });
    const person = new WebPerson(cluster, name, clock);
    await person.accept();
    return person;
  }

  async accept(recovery = false): Promise<WebClient> {
    const { url } = await this.cluster.admin.auth.inviteUser({ user: this.name, recovery });
    const path = `/v1/webapi/invitations/${url.split("#")[1]}`;
    const page = new WebClient(this.cluster);
    this.totp = (await page.get(path)).body.totp_secret;
    const answer = { password: this.password, code: await this.code() };
    assert.equal((await page.post(path, answer)).status, 200);
    return page;
  }

  /** One that was not used. */
  async code(): Promise<string> {
    await this.#clock.advance(STEP_MS);
    return codeAt(this.totp, this.#clock.now());
  }

  async signIn(agent = "node"): Promise<WebClient> {
    const page = new WebClient(this.cluster);
    const given = { user: this.name, password: this.password, code: await this.code() };
    const headers = { "user-agent": agent };
    const { status } = await page.call("POST", "/v1/webapi/sessions", given, headers);
    assert.equal(status, 200);
    return page;
  }

  /** Signed in, with a second factor given. */
  async verified(): Promise<WebClient> {
    const page = await this.signIn();
    await this.verify(page);
    return page;
  }

  async verify(page: WebClient): Promise<void> {
    assert.equal((await page.post("/v1/webapi/mfa", { code: await this.code() })).status, 200);
  }
}
