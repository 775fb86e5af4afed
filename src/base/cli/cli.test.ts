import { addFlags, valueFromFlags } from "#base/config";
import { notFound } from "#base/kernel";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as z from "zod";
import {
  addFormat,
  EndedWith,
  formatTable,
  printResult,
  runProgram,
  UsageError,
  type CommandIo,
  type OutputFormat,
  type Program,
} from "./index.ts";

const schema = z.strictObject({ size: z.int().default(1) });

/** A program that notes what it loaded. */
function exampleOf(loaded: string[]): Program {
  return {
    name: "example",
    version: "1.2.3",
    description: "An example.",
    examples: "Examples:\n  example show",
    options: (root) => void root.option("--where <place>", "where"),
    commands: [
      {
        name: "group",
        summary: "of others",
        notes: "Notes of the group.",
        commands: [
          {
            name: "end",
            alias: "finish",
            summary: "end with a code",
            load: async () => {
              loaded.push("end");
              return (command) => {
                command.argument("<code>").action((code: string) => {
                  throw new EndedWith(Number(code));
                });
              };
            },
          },
        ],
      },
      {
        name: "show",
        alias: "s",
        summary: "show it",
        load: async () => {
          loaded.push("show");
          return (command, io) => {
            addFlags(addFormat(command), schema).action(async () => {
              const { format, where }: { format: OutputFormat; where?: string } =
                command.optsWithGlobals();
              const { size } = valueFromFlags({ schema, options: command.opts() });
              const value = { size, ...(where === undefined ? {} : { where }) };
              await printResult(io, { format, value, text: () => `size ${size}\n` });
            });
          };
        },
      },
      {
        name: "fail",
        summary: "fail in one way or another",
        load: async () => {
          loaded.push("fail");
          return (command) => {
            command.argument("<how>").action((how: string) => {
              if (how === "usage") throw new UsageError("that makes no sense");
              throw how === "known" ? notFound("there is no such thing") : new Error("oh");
            });
          };
        },
      },
    ],
  };
}

async function run(line: string, env: Record<string, string> = {}) {
  const ran = { out: "", err: "", loaded: [] as string[] };
  const io: CommandIo = {
    stdout: { write: (text) => (ran.out += text) },
    stderr: { write: (text) => (ran.err += text) },
    stdin: (async function* () {})(),
    env,
    width: 80,
    interactive: false,
    signal: new AbortController().signal,
  };
  const argv = line.split(" ").filter(Boolean);
  const code = await runProgram(exampleOf(ran.loaded), argv, io);
  return { code, ...ran };
}

describe("a program", () => {
  it("loads only the command that is called, by either name", async () => {
    assert.deepEqual((await run("show")).loaded, ["show"]);
    assert.deepEqual((await run("s")).loaded, ["show"]);
  });

  it("loads nothing to help, to tell its version or to refuse a command", async () => {
    for (const line of ["--help", "--version", "", "nonsense"])
      assert.deepEqual((await run(line)).loaded, [], line);
  });

  it("groups commands, and loads only the one that is called", async () => {
    const help = await run("group --help");
    assert.match(help.out, /end\|finish +end with a code.*Notes of the group\./s);
    assert.deepEqual(help.loaded, []);
    assert.deepEqual((await run("group finish 0")).loaded, ["end"]);
    assert.equal((await run("group nonsense")).code, 2);
  });

  it("ends with the code that a command chose, and says no more", async () => {
    const { code, out, err } = await run("group end 3");
    assert.deepEqual({ code, out, err }, { code: 3, out: "", err: "" });
  });

  it("prints help on the output, and what was wrong beside it", async () => {
    const help = await run("--help");
    assert.match(
      help.out,
      /^Usage: example .*An example\..*show\|s +show it.*Examples:\n {2}example show/s,
    );
    assert.equal(help.err, "");
    const wrong = await run("shwo");
    assert.equal(wrong.out, "");
    assert.match(wrong.err, /unknown command 'shwo'\n\(Did you mean show\?\)/);
  });

  it("takes its own options before and after the command", async () => {
    for (const line of ["--where here show --format json", "show --format json --where here"])
      assert.deepEqual(JSON.parse((await run(line)).out), { size: 1, where: "here" });
  });

  it("prints a result in the format that is asked for", async () => {
    assert.equal((await run("show --size 3")).out, "size 3\n");
    assert.equal((await run("show --size 3 --format yaml")).out, "size: 3\n");
  });

  const codes: readonly (readonly [line: string, code: number, message: RegExp])[] = [
    ["show", 0, /^$/],
    ["--version", 0, /^$/],
    ["fail known", 1, /^example: there is no such thing\n$/],
    ["fail unknown", 1, /^example: oh\n$/],
    ["fail usage", 2, /^example: that makes no sense\n$/],
    ["fail", 2, /missing required argument 'how'/],
    ["show --size x", 2, /^example: --size: must be a whole number; got "x"\n$/],
    ["show --sise 1", 2, /unknown option '--sise'\n\(Did you mean --size\?\)/],
    ["show extra", 2, /too many arguments/],
    ["", 2, /^Usage: example/],
  ];
  for (const [line, code, message] of codes)
    it(`ends "${line}" with ${code}`, async () => {
      const ran = await run(line);
      assert.match(ran.err, message);
      assert.equal(ran.code, code);
    });

  it("shows where an unknown error came from only when asked", async () => {
    assert.doesNotMatch((await run("fail unknown")).err, /cli\.test\.ts/);
    assert.match((await run("fail unknown", { TENON_DEBUG: "1" })).err, /cli\.test\.ts/);
  });
});

describe("a table", () => {
  const columns = [
    { heading: "Name", cell: ([name]: readonly [string, number?]) => name },
    { heading: "Count", cell: ([, count]: readonly [string, number?]) => count, align: "right" },
  ] as const;

  it("is aligned, whatever the letters", () => {
    const rows = [["a", 5], ["größe", 1234], ["empty"]] as const;
    assert.equal(
      formatTable(rows, columns, "none"),
      "Name   Count\n-----  -----\na          5\ngröße   1234\nempty\n",
    );
  });

  it("says so when it is empty", () => assert.equal(formatTable([], columns, "none"), "none\n"));

  it("does not let a value drive the terminal or break a line", () =>
    assert.match(
      formatTable([["\u001b[31mred\nnext\u009b"]], columns, "none"),
      /\n\\x1b\[31mred\\x0anext\\x9b\n$/,
    ));
});
