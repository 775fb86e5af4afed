import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type net from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { startCluster, type TestCluster } from "#testing/cluster";

describe("an HTTP application", () => {
  let cluster: TestCluster;
  let app: http.Server;

  before(async () => {
    app = http.createServer((request, response) => {
      response.end(
        `${request.method} ${request.url} ${String(request.headers["x-forwarded-host"])}`,
      );
    });
    app.listen(0, "127.0.0.1");
    await once(app, "listening");
    const { port } = app.address() as net.AddressInfo;
    cluster = await startCluster();
    await cluster.role("all");
    await cluster.serve([{ name: "web", uri: `http://127.0.0.1:${port}` }]);
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    app.close();
  });

  test("answers at https://<app>.<cluster> to a certificate for it", async () => {
    const identity = cluster.identities.user({ roles: ["all"], appName: "web" });
    const request = https.get({
      ...cluster.address,
      path: "/hello",
      servername: "web.example.test",
      headers: { host: "web.example.test" },
      rejectUnauthorized: false,
      cert: identity.cert,
      key: identity.key,
      agent: false,
    });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(await text(response), "GET /hello web.example.test");
  });
});
