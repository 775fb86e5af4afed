// What a newcomer should never meet in the tree.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const MAX_LINES = 300;
const tracked = globSync([
  "src/**/*.ts",
  "web/src/**/*.{ts,tsx}",
  "ui/src/**/*.{ts,tsx}",
  "bench/**/*.ts",
  "scripts/**/*",
  "tests/**/*.ts",
  "examples/**/*",
  "actions/**/*.{yml,md}",
  "docs/**/*.md",
  "api/proto/**/*.proto",
  "*.md",
  ".ci/run",
]).filter((file) => !file.endsWith("/"));
const textOf = (file: string): string => readFileSync(file, "utf8");
const isFile = (file: string): boolean => existsSync(file) && /\.[a-z]+$|run$/.test(file);
const files = tracked.filter(isFile);

test("there are files to look at", () => {
  assert.ok(files.length > 100, `only ${files.length}`);
});

test("no source file is longer than one idea", () => {
  const long = files.filter(
    (file) =>
      file.startsWith("src/") &&
      !file.endsWith(".test.ts") &&
      textOf(file).split("\n").length > MAX_LINES,
  );
  assert.deepEqual(long, []);
});

const leftovers: readonly [what: string, pattern: RegExp][] = [
  ["work left open", /\b(?:TODO|FIXME|XXX)\b/],
  ["a path of somebody's machine", /(?:^|[\s"'`(])\/(?:work|home\/\w+|Users)\//m],
  ["a test that never runs", /\b(?:test|suite|describe|it)\.(?:only|todo)\(/],
];
for (const [what, pattern] of leftovers) {
  test(`nothing holds ${what}`, () => {
    const self = "tests/house/tidy.test.ts";
    assert.deepEqual(
      files.filter((file) => file !== self && pattern.test(textOf(file))),
      [],
    );
  });
}

test("every link between documents leads somewhere", () => {
  const broken = files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) =>
      [...textOf(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, link]) => ({ file, link: link! }))
        .filter(({ link }) => !existsSync(join(dirname(file), link))),
    );
  assert.deepEqual(broken, []);
});

test("every dependency has its line in docs/decisions/dependencies.md", () => {
  const { dependencies, devDependencies } = JSON.parse(textOf("package.json")) as Record<
    string,
    Record<string, string>
  >;
  const page = textOf("docs/decisions/dependencies.md");
  const names = Object.keys({ ...dependencies, ...devDependencies });
  assert.deepEqual(
    names.filter((name) => !page.includes(`\`${name}\``)),
    [],
  );
});

test("every dependency is pinned exactly", () => {
  const { dependencies, devDependencies } = JSON.parse(textOf("package.json")) as Record<
    string,
    Record<string, string>
  >;
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  assert.deepEqual(loose, []);
});

test("nothing is unused", () => {
  execFileSync("node_modules/.bin/knip", ["--no-progress"], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
});
