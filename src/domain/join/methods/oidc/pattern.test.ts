import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { matchesPattern } from "./pattern.ts";

const cases: readonly [pattern: string, text: string, fits: boolean][] = [
  ["main", "main", true],
  ["main", "mai", false],
  ["main", "main2", false],
  ["", "", true],
  ["*", "", true],
  ["*", "anything at all", true],
  ["*", "a/b", false],
  ["*", "a:b", false],
  ["**", "a/b:c", true],
  ["refs/heads/*", "refs/heads/main", true],
  ["refs/heads/*", "refs/heads/feature/x", false],
  ["refs/heads/**", "refs/heads/feature/x", true],
  ["refs/heads/release-*", "refs/heads/release-", true],
  ["repo:octo/*:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/main", true],
  ["repo:octo/*:ref:refs/heads/main", "repo:octo/app:environment:x:ref:refs/heads/main", false],
  ["repo:octo/*:ref:refs/heads/main", "repo:octo/a/b:ref:refs/heads/main", false],
  ["a*c", "abbbc", true],
  ["a*c", "abbb", false],
  ["a.c", "abc", false],
  ["[a]", "a", false],
  ["***", "a/b", true],
  ["*", "🦊", true],
  ["A", "a", false],
  ["main", "main\n", false],
];
for (const [pattern, text, fits] of cases) {
  test(`"${pattern}" ${fits ? "fits" : "does not fit"} ${JSON.stringify(text)}`, () => {
    assert.equal(matchesPattern(pattern, text), fits);
  });
}

/** Obviously right, and slow for some. */
function naive(pattern: string, text: string): boolean {
  const parts = pattern.match(/\*\*|\*|[^*]/gsu) ?? [];
  const source = parts.map((part) => {
    if (part === "**") return "[\\s\\S]*";
    return part === "*" ? "[^/:]*" : RegExp.escape(part);
  });
  return new RegExp(`^${source.join("")}$`, "u").test(text);
}

const signs = (signs: string, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...signs.split("")), { maxLength }).map((some) => some.join(""));

test("agrees with a regular expression", () => {
  fc.assert(
    fc.property(signs("ab/:*", 8), signs("ab/:*", 10), (pattern, text) => {
      assert.equal(matchesPattern(pattern, text), naive(pattern, text));
    }),
    { numRuns: 3000 },
  );
});

test("takes no long time over a hostile pair", () => {
  const started = performance.now();
  assert.equal(matchesPattern(`${"**a".repeat(170)}b`, "a".repeat(2048)), false);
  assert.ok(performance.now() - started < 2_000);
});
