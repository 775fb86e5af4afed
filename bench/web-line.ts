// A kept connection to the web endpoints, as a browser has one, and a person who is signed in.
import { Agent, request } from "node:https";
import { codeAt } from "#testing/web-client";

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly cookie: string | undefined;
}

export class WebLine implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  readonly #port: number;
  cookie = "";

  constructor(port: number) {
    this.#port = port;
  }

  get origin(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** By an invitation: a password and a code, and a second factor by the code after it. */
  async signIn(invitation: string): Promise<void> {
    const path = `/v1/webapi/invitations/${invitation.split("#")[1]}`;
    const { totp_secret: secret } = JSON.parse(await this.get(path)) as { totp_secret: string };
    const password = "correct horse battery";
    const now = Date.now();
    await this.#send("POST", path, { password, code: codeAt(secret, now) });
    await this.#send("POST", "/v1/webapi/mfa", { code: codeAt(secret, now + 30_000) });
  }

  async get(path: string): Promise<string> {
    return (await this.#send("GET", path)).body;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #send(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await this.#exchange(method, path, body);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.body}`);
    if (answer.cookie !== undefined) this.cookie = answer.cookie;
    return answer;
  }

  #exchange(method: string, path: string, body?: object): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const text = body && JSON.stringify(body);
    const headers = {
      host: `127.0.0.1:${this.#port}`,
      origin: this.origin,
      ...(this.cookie === "" ? {} : { cookie: this.cookie }),
      ...(text ? { "content-type": "application/json", "content-length": text.length } : {}),
    };
    const about = {
      host: "127.0.0.1",
      port: this.#port,
      method,
      path,
      agent: this.#agent,
      headers,
    };
    request(about, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part)).on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          body: Buffer.concat(parts).toString(),
          cookie: response.headers["set-cookie"]?.[0]?.split(";", 1)[0],
        }),
      );
    })
      .on("error", reject)
      .end(text);
    return promise;
  }
}
