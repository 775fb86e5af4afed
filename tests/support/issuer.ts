// An OpenID Connect issuer on a port of 127.0.0.1, as HTTPS clients meet it; it can misbehave.
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "#base/kernel";
import { IdTokens, type TestClaims } from "./id-tokens.ts";
import { TestAuthority } from "./tls.ts";

/** What it serves: its configuration, its keys, and GitHub's address for ID tokens of a job. */
export type Page = "configuration" | "keys" | "request";
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class TestIssuer implements AsyncDisposable {
  readonly #server: Server;
  readonly #path: string;
  readonly #handlers = new Map<Page, Handler>();
  readonly #counts = new Map<Page, number>();
  readonly #claims: TestClaims;
  /** PEM of the authority of its TLS certificate. */
  readonly ca: string;
  /** What its keys sign; set once it listens. */
  tokens!: IdTokens;

  private constructor(authority: TestAuthority, options: { path: string; claims: TestClaims }) {
    this.ca = authority.ca;
    this.#path = options.path;
    this.#claims = options.claims;
    const tls = authority.issue("serverAuth", { name: "localhost" });
    this.#server = createServer(tls, (request, response) => this.#serve(request, response));
  }

  /** `claims` are those of the job that asks for ID tokens; `path` follows the port in its name. */
  static async open(options: {
    clock: Clock;
    path?: string;
    claims?: TestClaims;
  }): Promise<TestIssuer> {
    const { path = "", claims = {} } = options;
    const issuer = new TestIssuer(new TestAuthority(), { path, claims });
    await new Promise<void>((resolve) => void issuer.#server.listen(0, "127.0.0.1", resolve));
    issuer.tokens = await IdTokens.open(issuer.url, options.clock);
    return issuer;
  }

  get host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The `iss` of its tokens. */
  get url(): string {
    return `https://${this.host}${this.#path}`;
  }

  /** GitHub's `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  get requestUrl(): string {
    return `https://${this.host}/request?api-version=2.0`;
  }

  /** GitHub's `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestToken = "secret-of-the-job";

  count(page: Page): number {
    return this.#counts.get(page) ?? 0;
  }

  /** Serves a page otherwise; `undefined` as it should be. */
  answer(page: Page, handler: Handler | undefined): void {
    if (handler) this.#handlers.set(page, handler);
    else this.#handlers.delete(page);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const page = this.#pageOf(new URL(request.url ?? "/", this.url));
    if (!page) return void response.writeHead(404).end();
    this.#counts.set(page, this.count(page) + 1);
    const handler = this.#handlers.get(page);
    if (handler) handler(request, response);
    else void this.#answer(page, request, response);
  }

  #pageOf({ pathname }: URL): Page | undefined {
    const pages: Readonly<Record<string, Page>> = {
      [`${this.#path}/.well-known/openid-configuration`]: "configuration",
      [`${this.#path}/.well-known/jwks`]: "keys",
      "/request": "request",
    };
    return pages[pathname];
  }

  async #answer(page: Page, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (page === "configuration") return json(response, this.configuration());
    if (page === "keys") return json(response, this.tokens.jwks);
    if (request.headers.authorization !== `Bearer ${this.requestToken}`)
      return void response.writeHead(401).end();
    const aud = new URL(request.url ?? "/", this.url).searchParams.get("audience") ?? "";
    json(response, { value: await this.tokens.sign({ ...this.#claims, aud }) });
  }

  configuration(): Record<string, unknown> {
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/.well-known/jwks`,
      id_token_signing_alg_values_supported: ["ES256"],
    };
  }
}

export function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
