// The map of the house. A room imports rooms listed before it on its own floor, and any lower floor,
// only through `#floor/room`; never up. The table is the map: ARCHITECTURE.md draws the same one.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, normalize } from "node:path";
import { test } from "node:test";

const floors: readonly (readonly [floor: string, rooms: readonly string[]])[] = [
  ["base", ["kernel", "observe", "config", "cli", "crypto", "wire", "storage", "rpc", "local"]],
  ["domain", ["resources", "access", "audit", "authority", "join", "sign-in"]],
  ["services", ["auth", "tunnel", "enrolment", "agent", "web", "proxy", "bot-client", "tbot"]],
  ["programs", ["tenon", "tbot", "tctl", "quickstart", "github-action", "library"]],
];

const order = floors.flatMap(([floor, rooms]) => rooms.map((room) => `${floor}/${room}`));
const specifiers = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

interface Import {
  readonly file: string;
  readonly specifier: string;
}

const roomOf = (file: string): string => file.split("/").slice(1, 3).join("/");
const sources = globSync("src/**/*.ts").filter((file) => !file.endsWith(".test.ts"));
const imports: Import[] = sources.flatMap((file) =>
  [...readFileSync(file, "utf8").matchAll(specifiers)].map(([, specifier]) => ({
    file,
    specifier: specifier!,
  })),
);

test("every folder of src is a room of the map, and every room exists", () => {
  const rooms = [...new Set(sources.map(roomOf))].sort();
  assert.deepEqual(rooms, [...order].sort());
});

test("no import runs up, or sideways to a later room", () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!specifier.startsWith("#")) return false;
    const target = order.indexOf(specifier.slice(1));
    return target === -1 || target >= order.indexOf(roomOf(file)) || isProgram(specifier);
  });
  assert.deepEqual(wrong, []);
});

test("a room is entered only by its door", () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!specifier.startsWith(".")) return false;
    const target = normalize(`${dirname(file)}/${specifier}`);
    return target.startsWith("src/") && roomOf(target) !== roomOf(file);
  });
  assert.deepEqual(wrong, []);
});

test("every room below the programs has a door", () => {
  const missing = order.filter(
    (room) => !isProgram(`#${room}`) && !existsSync(`src/${room}/index.ts`),
  );
  assert.deepEqual(missing, []);
});

test("the foundation of tests is not imported by the house", () => {
  assert.deepEqual(
    imports.filter(({ specifier }) => specifier.startsWith("#testing/")),
    [],
  );
});

const forbidden: readonly { what: string; where: RegExp; pattern: RegExp; except?: RegExp }[] = [
  {
    what: "only programs touch process",
    where: /^src\/(base|domain|services)\//,
    pattern: /\bprocess\.(?!hrtime)\w+/,
    except: /src\/base\/(storage\/sqlite-worker|observe\/logger)\.ts$/,
  },
  {
    what: "only the clock reads the time",
    where: /^src\//,
    pattern: /\bDate\.now\(\)|performance\.now\(\)|new Date\(\)|setTimeout\(|setInterval\(/,
    except: /src\/base\/(kernel\/clock|observe\/logger)\.ts$/,
  },
  {
    what: "the domain opens no socket and reads no file",
    where: /^src\/domain\//,
    pattern: /from "node:(net|tls|fs|http|http2|https|child_process|worker_threads)/,
  },
];

for (const rule of forbidden) {
  test(rule.what, () => {
    const wrong = sources
      .filter((file) => rule.where.test(file) && !rule.except?.test(file))
      .filter((file) => rule.pattern.test(withoutComments(readFileSync(file, "utf8"))));
    assert.deepEqual(wrong, []);
  });
}

/** Programs are entered from the command line, never imported. */
function isProgram(specifier: string): boolean {
  return specifier.startsWith("#programs/");
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}
