// The walk of the README, done by hand: its own commands, in its own order, with what they print
// pasted where it says so.
import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { closedPort } from "#testing/applications";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { until } from "#testing/wait";

const root = new URL("../../", import.meta.url).pathname;
/** What ends the output of each command; nothing else prints it. */
const MARK = "\u0001done";

/** A terminal: one shell in which commands stay in the background, and variables stay set. */
class Terminal implements AsyncDisposable {
  readonly #shell: ChildProcessWithoutNullStreams;
  #text = "";

  constructor(directory: string) {
    // No `node` of the machine's own: it may be too old for our sources; `npx` finds the right one.
    const npx = `npx() { local name=$1; shift
      case $name in
        node) command "${process.execPath}" "$@" ;;
        *) command "${process.execPath}" "src/programs/$name/main.ts" "$@" ;;
      esac; }\n`;
    const path = process.env["PATH"]!.split(":").filter((each) => !each.includes("node_modules"));
    this.#shell = spawn("bash", ["--norc"], {
      cwd: root,
      env: { PATH: path.join(":"), HOME: directory },
      detached: true,
    });
    for (const output of [this.#shell.stdout, this.#shell.stderr])
      output.setEncoding("utf8").on("data", (text: string) => (this.#text += text));
    this.#shell.stdin.write(`${npx}node() { echo "node: not found"; return 127; }\n`);
  }

  /** What the command printed until the shell took the next one. */
  async run(command: string): Promise<string> {
    const start = this.#text.length;
    this.#shell.stdin.write(`${command}\necho "${MARK}"\n`);
    await until(`"${command}" is done`, () => this.#text.includes(MARK, start), 60_000);
    return this.#text.slice(start, this.#text.indexOf(MARK, start));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#shell, "close");
    process.kill(-this.#shell.pid!, "SIGTERM");
    this.#shell.stdin.end();
    const late = setTimeout(() => process.kill(-this.#shell.pid!, "SIGKILL"), 10_000);
    await closed;
    clearTimeout(late);
  }
}

let yard: Yard;
let blocks: readonly (readonly string[])[];

before(async () => {
  yard = await Yard.open();
  const text = await readFile(`${root}README.md`, "utf8");
  const [, walk = ""] = /^## Ten minutes by hand$([\s\S]*?)^## /m.exec(text) ?? [];
  const places: [string, string][] = [
    ["3080", String(await closedPort())],
    ["8080", String(await closedPort())],
    ["9000", String(await closedPort())],
    ["9001", String(await closedPort())],
    ["/tmp/", `${yard.directory}/`],
    ["./hello", `${yard.directory}/hello`],
    [" hello/", ` ${yard.directory}/hello/`],
  ];
  blocks = [...walk.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block]) =>
    places
      .reduce((lines, [from, to]) => lines.replaceAll(from, to), block!)
      .replaceAll(/\\\n\s*/g, "")
      .trim()
      .split("\n")
      .map((line) => line.replace(/\s+# .*$/, "")),
  );
});
after(async () => {
  await yard[Symbol.asyncDispose]();
});

/** Puts what was printed where the line has an ellipsis. */
function filled(line: string, printed: string): string {
  const uri = /tbot\+proxy\+\S+?:\/\/[^\s']+/.exec(printed)?.[0];
  const token = /--token[ =](\S+)/.exec(printed)?.[1];
  const pin = /--ca-pin[ =](\S+)/.exec(printed)?.[1];
  const lock = /[0-9a-f]{8}[0-9a-f-]{24,}/.exec(printed)?.[0];
  return line
    .replace(/'tbot\+proxy\+[^']*…[^']*'/, `'${uri}'`)
    .replace("--token …", `--token ${token}`)
    .replace("--ca-pin sha256:…", `--ca-pin ${pin}`)
    .replace("lock/…", `lock/${lock}`);
}

test("the walk of the README works as it is written", needs("curl"), async () => {
  const [[start], ...rest] = blocks as [string[], ...string[][]];
  await using first = new Terminal(yard.directory);
  await using second = new Terminal(yard.directory);
  await first.run(`${start} &`);
  const lines = rest.flat();
  assert.ok(lines.length >= 17, `only ${lines.length} commands`);
  let printed = "";
  let locked = false;
  for (const line of lines) {
    const command = filled(line, printed);
    assert.doesNotMatch(command, /…|undefined/, line);
    printed = await settled(second, command, locked);
    assert.doesNotMatch(printed, /not found|error:|^(?:tctl|tbot|tenon): /m, command);
    if (line.startsWith("npx tctl lock")) locked = true;
    if (line.startsWith("npx tctl rm lock")) locked = false;
  }
  await second.run("kill $(jobs -p)");
});

/** A person looks again when the first look came too soon. */
async function settled(terminal: Terminal, command: string, locked: boolean): Promise<string> {
  const [, wanted] = looks.find(([what]) => what.test(command)) ?? [];
  if (!wanted) return await terminal.run(command);
  const meant = locked && command.startsWith("curl") ? /^curl: /m : wanted;
  let last = "";
  const seen = async (): Promise<boolean> => {
    last = await terminal.run(command.replace(/^curl/, "curl -sS"));
    return meant.test(last);
  };
  await until(`${command} shows ${meant}`, seen, 60_000).catch((error: unknown) => {
    throw new Error(`the last answer was:\n${last}`, { cause: error });
  });
  return last;
}

const looks: readonly (readonly [command: RegExp, wanted: RegExp])[] = [
  [/^curl/, /^Hello from the application/m],
  [/^npx tctl status/, /^Cluster: /m],
  [/^npx tctl get app/, /^hello/m],
  [/^npx tctl bots instances ls/, /^robot/m],
];
