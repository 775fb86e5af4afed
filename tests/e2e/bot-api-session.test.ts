// docs/guides/bot-api-session.md: every command of it, and what each prints.
import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { closedPort } from "#testing/applications";
import { hasCommand } from "#testing/needs";
import { installPrograms, Shell } from "#testing/shell";

const GUIDE = "docs/guides/bot-api-session.md";
/** Of the guide; each stands for a free one. */
const PORTS = ["3080", "8080", "1234"];
const DIRECTORY = "/srv/demo";

interface Command {
  readonly lines: readonly string[];
  readonly prints: string;
}

/** The commands of a guide: `$ ` begins one, `> ` goes on with it, what follows is what it prints. */
async function commandsOf(file: string): Promise<readonly Command[]> {
  const text = await readFile(file, "utf8");
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, body]) => body!);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const lines = part.replace(/\n$/, "").split("\n");
        const more = lines.findIndex((line, index) => index > 0 && !/^>( |$)/.test(line));
        const end = more === -1 ? lines.length : more;
        return {
          lines: [lines[0]!, ...lines.slice(1, end).map((line) => line.slice(2))],
          prints: lines
            .slice(end)
            .map((line) => `${line}\n`)
            .join(""),
        };
      }),
  );
}

let directory: string;
let terminal: Shell;
let commands: readonly Command[];
const ports = new Map<string, string>();

before(async () => {
  commands = await commandsOf(GUIDE);
  for (const port of PORTS) ports.set(port, String(await closedPort()));
  directory = await realpath(await mkdtemp(join(tmpdir(), "tenon-session-")));
  await installPrograms(directory);
  await copyFile("examples/hello.ts", join(directory, "hello.ts"));
  terminal = new Shell(directory);
});

after(async () => {
  // The guide ends what it started; where it came not so far, the shell's jobs are ended here.
  terminal.type(["kill $(jobs -p) 2> /dev/null"]);
  await terminal.close();
  await rm(directory, { recursive: true, force: true });
});

const typed = (line: string): string =>
  [...ports]
    .reduce((text, [written, port]) => text.replaceAll(`:${written}`, `:${port}`), line)
    .replaceAll(/(hello\.ts )8080/g, `$1${ports.get("8080")}`);

/** What differs from one run to the next stands as the guide has it. */
const asWritten = (text: string): string =>
  [...ports]
    .reduce((seen, [written, port]) => seen.replaceAll(`:${port}`, `:${written}`), text)
    .replaceAll(directory, DIRECTORY);
const comparable = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "PIN")
    .replaceAll(/[ \t]+$/gm, "");

test("the guide's commands print what it says", async (t) => {
  if (!hasCommand("ssh") || !hasCommand("curl")) return t.skip("needs ssh and curl");
  assert.ok(commands.length > 25, `only ${commands.length} commands were found`);
  for (const { lines, prints } of commands) {
    const { printed } = await terminal.attempt(lines.map(typed));
    const seen = asWritten(printed);
    assert.equal(comparable(seen), comparable(prints), `$ ${lines.join("\n> ")}\n${seen}`);
  }
});
