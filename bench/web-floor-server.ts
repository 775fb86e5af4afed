// The limit under bench/web.ts: a bare HTTPS server. `/bytes/N` answers so many bytes of JSON;
// `/page/N` is a page with one script of so many bytes, which does nothing.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

process.once("message", (message) => start(message as { cert: string; key: string }));
process.once("disconnect", () => process.exit());

const types = { bytes: "application/json", script: "text/javascript", page: "text/html" } as const;

function start(pair: { readonly cert: string; readonly key: string }): void {
  const server = createServer({ ...pair, minVersion: "TLSv1.3" }, (request, response) => {
    const [, kind = "", size = "0"] = (request.url ?? "").split("/");
    const body = bodyOf(kind, Number(size));
    const type = types[kind as keyof typeof types] ?? "text/plain";
    response.writeHead(200, { "content-type": type, "content-length": body.length }).end(body);
  });
  server.listen(0, "127.0.0.1", () => {
    process.send!({ port: (server.address() as AddressInfo).port });
  });
}

function bodyOf(kind: string, size: number): string {
  if (kind === "bytes") return JSON.stringify("x".repeat(Math.max(0, size - 2)));
  if (kind === "script") return `/*${"x".repeat(size)}*/`;
  if (kind === "page")
    return `<!doctype html><title>floor</title><script src="/script/${size}"></script>`;
  return "";
}
