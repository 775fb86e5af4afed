import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, test } from "node:test";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { TrustBundleSchema } from "@tenon/api/tenon/join/v1/join";
import { silentLogger, systemClock } from "#base/kernel";
import { trustFromProto } from "#domain/authority";
import { TestIdentities } from "#testing/identities";
import { pages } from "./pages.ts";
import { WebServer, type WebPages } from "./web.ts";

describe("the web server", () => {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  async function start(served: WebPages): Promise<string> {
    const web = new WebServer({ pages: served, logger: silentLogger });
    const server = net.createServer((socket) => web.accept(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    open.push(async () => {
      web[Symbol.dispose]();
      server.close();
      await once(server, "close");
    });
    return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  }

  async function clusterPages(clusterName = "example.test"): Promise<WebPages> {
    const identities = await TestIdentities.open(systemClock, clusterName);
    open.push(async () => identities.store[Symbol.asyncDispose]());
    return pages({
      clusterName,
      version: "1.2.3",
      publicAddr: () => "proxy.example.test:3080",
      trust: () => identities.trust,
    });
  }

  test("answers a ping with what a client needs first", async () => {
    const response = await fetch(`${await start(await clusterPages())}/webapi/ping?x=1`);
    assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
    assert.deepEqual(await response.json(), {
      cluster_name: "example.test",
      version: "1.2.3",
      proxy_public_addr: "proxy.example.test:3080",
      features: {
        join_methods: ["token", "bound_keypair", "oidc", "github", "gitlab", "kubernetes"],
        applications: true,
      },
    });
  });

  test("gives the trust bundle, which reads back, and nothing private", async () => {
    const response = await fetch(`${await start(await clusterPages())}/webapi/trust`);
    const json = (await response.json()) as JsonValue;
    const trust = trustFromProto(fromJson(TrustBundleSchema, json));
    assert.equal(trust.clusterName, "example.test");
    assert.equal(trust.hostX509.length, 1);
    assert.doesNotMatch(JSON.stringify(json), /PRIVATE/);
  });

  test("says at the door what it is, and lets no name break the page", async () => {
    const url = await start({
      ...(await clusterPages()),
      "/": pages({
        clusterName: `<script>"&'`,
        version: "1",
        publicAddr: () => "",
        trust: () => assert.fail(),
      })["/"]!,
    });
    const body = await (await fetch(url)).text();
    assert.match(body, /proxy of a Tenon/);
    assert.doesNotMatch(body, /<script>/);
  });

  const refusals: [string, string, string, number][] = [
    ["an unknown path", "GET", "/webapi/nothing", 404],
    ["a name of Object.prototype", "GET", "/constructor", 404],
    ["another method", "POST", "/webapi/ping", 405],
    ["a page that fails", "GET", "/fails", 500],
  ];
  for (const [what, method, path, status] of refusals)
    test(`answers ${what} with ${status} as JSON`, async () => {
      const url = await start({
        ...(await clusterPages()),
        "/fails": () => {
          throw new Error("secret reason");
        },
      });
      const response = await fetch(`${url}${path}`, { method });
      assert.equal(response.status, status);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      assert.ok(error.code);
      assert.doesNotMatch(error.message, /secret/);
    });

  test("answers HEAD without a body, and lets no browser guess or frame", async () => {
    const response = await fetch(await start(await clusterPages()), { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
  });

  const malformed: [string, string, RegExp][] = [
    [
      "headers that are too large",
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      / 431 /,
    ],
    ["what is no HTTP", "\x16\x03\x01\r\n\r\n", / 400 /],
    ["a request without a host", "GET / HTTP/1.1\r\n\r\n", / 400 /],
  ];
  for (const [what, bytes, answer] of malformed)
    test(`refuses ${what}`, async () => {
      const { port } = new URL(await start(await clusterPages()));
      const socket = net.connect({ port: Number(port), host: "127.0.0.1" });
      socket.write(bytes);
      assert.match(await text(socket), answer);
    });
});
