import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endToEnd, requestHeaders } from "./headers.ts";

describe("header lines", () => {
  test("keep their order, spelling and repetition", () => {
    const lines = ["X-B", "2", "x-a", "1", "X-B", "3"];
    assert.deepEqual(endToEnd(lines), lines);
  });

  const dropped: [string, string[]][] = [
    [
      "Connection and what it names",
      ["Connection", "close, X-One,x-two", "X-One", "1", "X-Two", "2"],
    ],
    [
      "two Connection lines",
      ["Connection", "x-one", "CONNECTION", "x-two", "X-One", "1", "X-Two", "2"],
    ],
    ["Keep-Alive", ["Keep-Alive", "timeout=5"]],
    ["Transfer-Encoding", ["Transfer-Encoding", "chunked"]],
    ["Upgrade", ["Upgrade", "websocket"]],
    [
      "TE and Proxy fields",
      ["TE", "trailers", "Proxy-Authorization", "x", "Proxy-Connection", "y"],
    ],
  ];
  for (const [what, lines] of dropped)
    test(`leave out ${what}`, () => {
      assert.deepEqual(endToEnd(["A", "1", ...lines, "Z", "2"]), ["A", "1", "Z", "2"]);
    });

  test("say where a request came from, and not what the client says of it", () => {
    const lines = requestHeaders(
      [
        "Host",
        "a",
        "X-Forwarded-For",
        "1.2.3.4",
        "x-forwarded-proto",
        "http",
        "Forwarded",
        "x",
        "Tenon-Jwt-Assertion",
        "forged",
        "Accept",
        "*/*",
        "Host",
        "b",
      ],
      {
        host: "upstream:80",
        clientHost: "a",
        clientAddr: "192.0.2.1",
        chunked: true,
        upgrade: "h2c",
      },
    );
    assert.deepEqual(lines, [
      "Host",
      "upstream:80",
      "Accept",
      "*/*",
      "X-Forwarded-For",
      "192.0.2.1",
      "X-Forwarded-Host",
      "a",
      "X-Forwarded-Proto",
      "https",
      "Transfer-Encoding",
      "chunked",
      "Connection",
      "Upgrade",
      "Upgrade",
      "h2c",
    ]);
  });
});
