// Issuers that behave and that do not, over real TLS.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { codeOf, messageOf, systemClock, type ErrorCode } from "#base/kernel";
import { json, TestIssuer, type Page } from "#testing/issuer";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { publishedKeys } from "./published-keys.ts";

const request = (issuer: TestIssuer, rest: object = {}) => ({
  clock: systemClock,
  ca: [issuer.ca],
  signal: new AbortController().signal,
  ...rest,
});

const open = (path = ""): Promise<TestIssuer> => TestIssuer.open({ clock: systemClock, path });

interface Row {
  readonly name: string;
  readonly page: Page;
  readonly answer: (response: ServerResponse, issuer: TestIssuer) => void;
  readonly why: RegExp;
}

const sendsConfiguration =
  (change: object) =>
  (response: ServerResponse, issuer: TestIssuer): void =>
    json(response, { ...issuer.configuration(), ...change });

const both = (row: Omit<Row, "page">): Row[] =>
  (["configuration", "keys"] as const).map((page) => ({
    ...row,
    name: `${row.name} (${page})`,
    page,
  }));

const rows: readonly Row[] = [
  ...both({
    name: "a fault of its own",
    answer: (response) => void response.writeHead(500).end("{}"),
    why: /answered with status 500/,
  }),
  ...both({
    name: "nothing there",
    answer: (response) => void response.writeHead(404).end(),
    why: /answered with status 404/,
  }),
  ...both({
    name: "a redirect",
    answer: (response, issuer) =>
      void response.writeHead(302, { location: `${issuer.url}/.well-known/jwks` }).end(),
    why: /answered with a redirect, which is not followed/,
  }),
  ...both({
    name: "a page",
    answer: (response) => void response.writeHead(200).end("<html>"),
    why: /answered with something that is not JSON/,
  }),
  ...both({
    name: "an endless answer",
    answer: (response) => {
      response.writeHead(200);
      const more = (): void => {
        if (!response.destroyed && response.write(" ".repeat(65_536))) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    },
    why: /answered over (65536|262144) bytes/,
  }),
  ...both({
    name: "a compressed answer",
    answer: (response) =>
      void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("{}")),
    why: /in encoding "gzip", which was not asked for/,
  }),
  ...both({
    name: "half an answer",
    answer: (response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.socket?.destroy());
    },
    why: /cannot be read/,
  }),
  {
    name: "another's configuration",
    page: "configuration",
    answer: sendsConfiguration({ issuer: "https://evil.example" }),
    why: /is that of "https:\/\/evil\.example"/,
  },
  {
    name: "its own name with a slash more",
    page: "configuration",
    answer: (response, issuer) =>
      json(response, { ...issuer.configuration(), issuer: `${issuer.url}/` }),
    why: /is that of/,
  },
  {
    name: "a configuration without keys",
    page: "configuration",
    answer: sendsConfiguration({ jwks_uri: undefined }),
    why: /names no issuer or no jwks_uri/,
  },
  {
    name: "keys without TLS",
    page: "configuration",
    answer: sendsConfiguration({ jwks_uri: "http://127.0.0.1:1/keys" }),
    why: /is not an https:\/\/ address/,
  },
  {
    name: "keys in a file",
    page: "configuration",
    answer: sendsConfiguration({ jwks_uri: "file:///etc/passwd" }),
    why: /is not an https:\/\/ address/,
  },
  {
    name: "no keys",
    page: "keys",
    answer: (response) => json(response, { keys: [] }),
    why: /holds no sound public/,
  },
];

async function failure(promise: Promise<unknown>): Promise<{ code: ErrorCode; message: string }> {
  try {
    await promise;
  } catch (error) {
    return { code: codeOf(error), message: messageOf(error) };
  }
  throw new Error("nothing was refused");
}

suite("the keys of an issuer", () => {
  for (const path of ["", "/tenant/v2", "/slash/"]) {
    test(`are found by discovery (${path || "no path"})`, async () => {
      await using issuer = await open(path.replace(/\/$/, ""));
      if (path.endsWith("/"))
        issuer.answer("configuration", (_, response) =>
          json(response, { ...issuer.configuration(), issuer: `${issuer.url}/` }),
        );
      const name = path.endsWith("/") ? `${issuer.url}/` : issuer.url;
      const keys = await publishedKeys(name, request(issuer));
      assert.equal(keys.has(issuer.tokens.key.kid), true);
      assert.equal(keys.has("other"), false);
    });
  }

  for (const { name, page, answer, why } of rows) {
    test(`are not taken from ${name}`, async () => {
      await using issuer = await open();
      issuer.answer(page, (_, response) => answer(response, issuer));
      const { code, message } = await failure(publishedKeys(issuer.url, request(issuer)));
      assert.equal(code, "unavailable");
      assert.match(message, why);
    });
  }

  for (const page of ["configuration", "keys"] as const) {
    test(`are not waited for longer than five seconds (${page})`, async () => {
      await using issuer = await open();
      const clock = new ManualClock();
      issuer.answer(page, (_, response) => void response.writeHead(200).write("{"));
      const asking = failure(publishedKeys(issuer.url, request(issuer, { clock })));
      await until("it was asked", () => issuer.count(page) === 1);
      await clock.advance(5_000);
      const { code, message } = await asking;
      assert.equal(code, "timed_out");
      assert.match(message, /did not answer within 5 s/);
    });
  }

  test("are not taken from a server that cannot prove its name", async () => {
    await using issuer = await open();
    const { code, message } = await failure(publishedKeys(issuer.url, request(issuer, { ca: [] })));
    assert.equal(code, "unavailable");
    assert.match(message, /cannot be read: .*certificate/);
    const address = issuer.url.replace("localhost", "127.0.0.1");
    assert.match(
      (await failure(publishedKeys(address, request(issuer)))).message,
      /cannot be read/,
    );
    assert.equal(issuer.count("configuration"), 0);
  });

  test("are not asked for without TLS", async () => {
    await using issuer = await open();
    const address = issuer.url.replace("https:", "http:");
    const { message } = await failure(publishedKeys(address, request(issuer)));
    assert.match(message, /is not an https:\/\/ address/);
  });

  test("are not asked for any longer once nobody needs them", async () => {
    await using issuer = await open();
    issuer.answer("configuration", () => {});
    const stop = new AbortController();
    const asking = failure(publishedKeys(issuer.url, request(issuer, { signal: stop.signal })));
    await until("it was asked", () => issuer.count("configuration") === 1);
    stop.abort();
    assert.match((await asking).message, /cannot be read/);
  });
});
