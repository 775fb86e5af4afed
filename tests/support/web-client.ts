import { request } from "node:https";
import { TOTP } from "otpauth";
import type { TestCluster } from "./cluster.ts";

export interface WebReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** As JSON gives it: a test says what it expects of it. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** A browser without a screen: keeps the cookie, and says that it comes from our page. */
export class WebClient {
  readonly #cluster: TestCluster;
  cookie = "";

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  get origin(): string {
    return `https://127.0.0.1:${this.#cluster.address.port}`;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<WebReply> {
    const { host, port } = this.#cluster.address;
    const { promise, resolve, reject } = Promise.withResolvers<WebReply>();
    const asked = request(
      {
        host,
        port,
        path,
        method,
        // A test's clock runs ahead, and TLS looks at the real time: who serves is not asked here.
        rejectUnauthorized: false,
        agent: false,
        headers: {
          host: `127.0.0.1:${port}`,
          origin: this.origin,
          ...(this.cookie === "" ? {} : { cookie: this.cookie }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
      },
      (response) => {
        let text = "";
        const streams = response.headers["content-type"] === "text/event-stream";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
          // A stream has no end of its own: its first words are the answer.
          if (streams) asked.destroy();
        });
        response.on("error", streams ? () => {} : reject);
        response.on("close", () => {
          if (!streams && !response.complete) return;
          const [given] = response.headers["set-cookie"] ?? [];
          if (given) this.cookie = given.split(";", 1)[0]!;
          const json = response.headers["content-type"]?.startsWith("application/json");
          const read: unknown = json ? JSON.parse(text) : text;
          resolve({ status: response.statusCode!, headers: response.headers, body: read });
        });
      },
    ).on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    return await promise;
  }

  readonly get = (path: string): Promise<WebReply> => this.call("GET", path);
  readonly post = (path: string, body?: unknown): Promise<WebReply> =>
    this.call("POST", path, body);
  readonly put = (path: string, body?: unknown): Promise<WebReply> => this.call("PUT", path, body);
  readonly delete = (path: string): Promise<WebReply> => this.call("DELETE", path);
}

/** What an authenticator app shows at a time. */
export const codeAt = (secretOrUri: string, now: number): string =>
  new TOTP({ secret: secretOrUri }).generate({ timestamp: now });

/**
 * Somebody who was invited and signed in; unless asked otherwise with a second factor, given by the
 * code after the one that signed in.
 */
export async function verifiedClient(
  cluster: TestCluster,
  user: string,
  about: { factor?: boolean; url?: string } = {},
): Promise<WebClient> {
  const invited = about.url ?? (await cluster.admin.auth.inviteUser({ user, recovery: true })).url;
  const path = `/v1/webapi/invitations/${invited.split("#")[1]}`;
  const page = new WebClient(cluster);
  const { totp_secret: secret } = (await page.get(path)).body;
  const code = codeAt(secret, Date.now());
  const { status, body } = await page.post(path, { password: "correct horse battery", code });
  if (status !== 200) throw new Error(JSON.stringify(body));
  if (about.factor ?? true)
    await page.post("/v1/webapi/mfa", { code: codeAt(secret, Date.now() + 30_000) });
  return page;
}
