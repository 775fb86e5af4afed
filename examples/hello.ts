// An application that knows nothing of Tenon: node examples/hello.ts [PORT]
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((request, response) => {
  const forwarded = request.headers["x-forwarded-for"] ?? "nobody";
  response.setHeader("content-type", "text/plain");
  response.end(
    `Hello from the application: ${request.method} ${request.url}, for ${String(forwarded)}\n`,
  );
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
