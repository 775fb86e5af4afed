// Where a bot's configuration says that its ID token is.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseYaml } from "#base/config";
import type { IdTokenPlace } from "#services/enrolment";
import { checkConfiguration } from "./check.ts";
import { botConfiguration } from "./configuration.ts";

suite("the place of an ID token", () => {
  const base = "proxy_server: a:1\nonboarding:\n  token: t\n";
  const placeIn = (text: string) =>
    checkConfiguration(parseYaml({ text, file: "tbot.yaml", schema: botConfiguration }))
      .idTokenPlace;

  const places: readonly [name: string, text: string, place: IdTokenPlace | undefined][] = [
    ["nowhere", `${base}  join_method: github`, undefined],
    ["a file", `${base}  join_method: oidc\n  oidc: { token_path: /t }`, { path: "/t" }],
    ["a variable", `${base}  join_method: gitlab\n  oidc: { token_env: T }`, { env: "T" }],
    ["a join URI's file", "join_uri: tbot+proxy+oidc://t:%2Frun%2Ft@h", { path: "/run/t" }],
    ["a join URI's variable", "join_uri: tbot+proxy+gitlab://t:MINE@h", { env: "MINE" }],
    ["a join URI without one", "join_uri: tbot+proxy+kubernetes://t@h", undefined],
    ["a secret, which is none", "join_uri: tbot+proxy+bound-keypair://t:MINE@h", undefined],
  ];
  for (const [name, text, place] of places) {
    test(`is ${name}`, () => assert.deepEqual(placeIn(text), place));
  }

  const refused: readonly [name: string, text: string, why: RegExp][] = [
    [
      "two",
      `${base}  join_method: oidc\n  oidc: { token_path: /t, token_env: T }`,
      /beside token_path/,
    ],
    ["one for a bound key", `${base}  oidc: { token_path: /t }`, /needs no ID token/],
    [
      "no name of a variable",
      `${base}  join_method: oidc\n  oidc: { token_env: "a b" }`,
      /must be the name/,
    ],
  ];
  for (const [name, text, why] of refused) {
    test(`cannot be ${name}`, () => assert.throws(() => placeIn(text), why));
  }

  test("follows no token of GitHub in a join URI, for there is none to find", () => {
    assert.throws(() => placeIn("join_uri: tbot+proxy+github://t:x@h"), /takes no parameter/);
  });
});
