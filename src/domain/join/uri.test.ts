import { codeOf, messageOf } from "#base/kernel";
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { formatJoinUri, joinUriAddress, parseJoinUri, type JoinUri } from "./uri.ts";

const pin = `sha256:${"0f".repeat(32)}`;

suite("join URIs", () => {
  test("the document's example", () => {
    const uri = parseJoinUri(
      "tbot+proxy+bound-keypair://example:initial-join-secret@example.teleport.sh:443",
    );
    assert.deepEqual(uri, {
      via: "proxy",
      method: "bound_keypair",
      token: "example",
      parameter: "initial-join-secret",
      host: "example.teleport.sh",
      port: 443,
      caPins: [],
    });
  });

  const accepted: [string, string, Partial<JoinUri>][] = [
    [
      "auth and a token method",
      "tbot+auth+token://abcde12345@a.example:3025",
      { via: "auth", method: "token", token: "abcde12345", port: 3025 },
    ],
    [
      "an underscore in the method",
      "tbot+proxy+bound_keypair://t@h:1",
      { method: "bound_keypair" },
    ],
    ["the proxy's port left out", "tbot+proxy+token://t@h", { port: 3080 }],
    ["the auth server's port left out", "tbot+auth+token://t@h", { port: 3025 }],
    ["a slash at the end", "tbot+proxy+token://t@h:443/", { port: 443 }],
    ["IPv6", "tbot+proxy+token://t@[fe80::1]:443", { host: "fe80::1", port: 443 }],
    [
      "an encoded secret",
      "tbot+proxy+bound-keypair://t:a%3Ab%2F%40%20%C3%A9@h:1",
      { parameter: "a:b/@ é" },
    ],
    ["a pin", `tbot+proxy+token://t@h:1?ca_pin=${pin}`, { caPins: [pin] }],
    [
      "two pins, one encoded",
      `tbot+proxy+token://t@h:1/?ca_pin=${pin}&ca_pin=${encodeURIComponent(pin)}`,
      { caPins: [pin, pin] },
    ],
  ];
  for (const [name, text, expected] of accepted)
    test(`takes ${name}`, () => assert.partialDeepStrictEqual(parseJoinUri(text), expected));

  const refused: [string, string, RegExp][] = [
    ["another scheme", "https://t@h:1", /not a join URI/],
    ["no via", "tbot+token://t@h:1", /not a join URI/],
    ["an unknown via", "tbot+web+token://t@h:1", /"web".*proxy or auth/],
    ["an unknown method", "tbot+proxy+azure://t@h:1", /"azure".*token, bound-keypair/],
    ["a method of Object", "tbot+proxy+constructor://t@h:1", /not a join method/],
    ["no token", "tbot+proxy+token://h:1", /names no token/],
    ["an empty token", "tbot+proxy+token://:s@h:1", /names no token/],
    ["a parameter for token", "tbot+proxy+token://t:s3cret@h:1", /takes no parameter/],
    ["a bare colon in the secret", "tbot+proxy+bound-keypair://t:s3cret:x@h:1", /%3A/],
    ["no host", "tbot+proxy+token://t@:443", /not an address/],
    ["a bad port", "tbot+proxy+token://t@h:99999", /"99999".*1 to 65535/],
    ["an empty port", "tbot+proxy+token://t@h:", /1 to 65535/],
    ["bare IPv6", "tbot+proxy+token://t@fe80::1", /brackets/],
    ["brackets around a name", "tbot+proxy+token://t@[host]:1", /brackets/],
    ["a path", "tbot+proxy+token://t@h:1/path", /not a join URI/],
    ["a fragment", "tbot+proxy+token://t@h:1#x", /not a join URI/],
    ["an unknown key", "tbot+proxy+token://t@h:1?pin=x", /only ca_pin/],
    ["a short pin", "tbot+proxy+token://t@h:1?ca_pin=sha256:00", /64 lower-case hex/],
    ["a broken percent", "tbot+proxy+bound-keypair://t:s3cret%zz@h:1", /%25/],
    ["five thousand characters", `tbot+proxy+token://${"t".repeat(5000)}@h:1`, /longer than/],
  ];
  for (const [name, text, message] of refused)
    test(`refuses ${name}`, () => {
      assert.throws(
        () => parseJoinUri(text),
        (error) => {
          assert.equal(codeOf(error), "bad_parameter");
          assert.match(messageOf(error), message);
          assert.doesNotMatch(messageOf(error), /s3cret/);
          return true;
        },
      );
    });

  const host = fc.oneof(
    fc.domain().filter((name) => name.length < 100),
    fc.ipV4(),
    fc.ipV6(),
  );
  const uris = fc.record({
    via: fc.constantFrom("proxy" as const, "auth" as const),
    token: fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
    host,
    port: fc.integer({ min: 1, max: 65_535 }),
    caPins: fc.array(fc.constant(pin), { maxLength: 2 }),
    secret: fc.option(fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }), {
      nil: undefined,
    }),
  });

  test("format and parse are inverse", () => {
    fc.assert(
      fc.property(uris, ({ secret, ...rest }) => {
        const uri: JoinUri =
          secret === undefined
            ? { ...rest, method: "token" }
            : { ...rest, method: "bound_keypair", parameter: secret };
        assert.deepEqual(parseJoinUri(formatJoinUri(uri)), uri);
      }),
      { numRuns: 500 },
    );
  });

  test("any text parses or is refused as a bad parameter", () => {
    const near = fc
      .array(
        fc.constantFrom(
          "tbot+",
          "proxy+",
          "token",
          "://",
          "t",
          ":",
          "@",
          "h",
          "[",
          "]",
          "::1",
          "%",
          "%41",
          "?",
          "ca_pin=",
          "&",
          "/",
          "#",
          "é",
        ),
        { maxLength: 14 },
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
        try {
          parseJoinUri(text);
        } catch (error) {
          assert.equal(codeOf(error), "bad_parameter");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("an address puts brackets around IPv6 only", () => {
    assert.equal(joinUriAddress({ host: "::1", port: 1 }), "[::1]:1");
    assert.equal(joinUriAddress({ host: "h", port: 1 }), "h:1");
  });
});
