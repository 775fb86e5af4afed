import { readFile, readdir } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** No script or style but our own files; no frame around us; nothing leads elsewhere. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

interface File {
  readonly type: string;
  readonly plain: Buffer;
  readonly packed: Buffer;
  /** Its name holds its hash: it never changes. */
  readonly immutable: boolean;
}

const pack = promisify(gzip);

/** The files of the page, read once; every path that is none of them is a place within the page. */
export class WebPage {
  readonly #files: ReadonlyMap<string, File>;

  private constructor(files: ReadonlyMap<string, File>) {
    this.#files = files;
  }

  /** Nothing when the page was not built. */
  static async open(root: string): Promise<WebPage | undefined> {
    const names = await readdir(root, { recursive: true }).catch(() => []);
    const known = names.filter((name) => types[extname(name)] !== undefined);
    if (!known.includes("index.html")) return undefined;
    const files = await Promise.all(
      known.map(async (name) => [`/web/${name}`, await fileOf(join(root, name))] as const),
    );
    return new WebPage(new Map(files));
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    const file = this.#files.get(path) ?? this.#files.get("/web/index.html")!;
    const packed = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    const body = packed ? file.packed : file.plain;
    response.writeHead(200, {
      "content-type": file.type,
      "content-length": body.length,
      ...(packed ? { "content-encoding": "gzip" } : {}),
      vary: "accept-encoding",
      "cache-control": file.immutable ? "public, max-age=31536000, immutable" : "no-cache",
      "content-security-policy": CSP,
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

async function fileOf(path: string): Promise<File> {
  const plain = await readFile(path);
  const immutable = path.includes("/assets/");
  return { type: types[extname(path)]!, plain, packed: await pack(plain), immutable };
}
