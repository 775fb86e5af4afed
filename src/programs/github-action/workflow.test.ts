// What an action says, read by the stand-in for its runner.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { parseEntries } from "#testing/runner/entries";
import { Masks, StepOutput } from "#testing/runner/output";
import { Workflow } from "./workflow.ts";

async function scene(): Promise<
  AsyncDisposable & { workflow: Workflow; output: StepOutput; file: string }
> {
  const directory = await mkdtemp(join(tmpdir(), "tenon-workflow-"));
  const file = join(directory, "file");
  await writeFile(file, "");
  const output = new StepOutput(new Masks());
  const names = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"];
  const env = {
    INPUT_SKIP_WAIT: " true\n",
    "INPUT_PROXY-SERVER": "a:1",
    INPUT_TWO_WORDS: "x",
    STATE_pid: "12",
    ...Object.fromEntries(names.map((name) => [name, file])),
  };
  const workflow = new Workflow({ env, out: { write: (text) => output.feed("out", text) } });
  return {
    workflow,
    output,
    file,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

suite("an action", () => {
  test("reads its inputs and its state", async () => {
    await using at = await scene();
    assert.equal(at.workflow.input("skip_wait"), "true");
    assert.equal(at.workflow.input("proxy-server"), "a:1");
    assert.equal(at.workflow.input("two words"), "x");
    assert.equal(at.workflow.input("none"), "");
    assert.equal(at.workflow.state("pid"), "12");
    assert.equal(at.workflow.state("none"), "");
  });

  for (const text of ["plain", "", "two\nlines", "a=b", "EOF\nx<<EOF\nEOF", "ends\n", "100%"]) {
    test(`hands on ${JSON.stringify(text)} as it is`, async () => {
      await using at = await scene();
      at.workflow.setOutput("one", text);
      at.workflow.saveState("two", text);
      at.workflow.exportVariable("three", "x");
      assert.deepEqual(parseEntries(await readFile(at.file, "utf8")), {
        one: text,
        two: text,
        three: "x",
      });
    });
  }

  for (const text of ["plain", "two\nlines\r\n", "100% ::error::x", "a,b:c"]) {
    test(`annotates with ${JSON.stringify(text)}`, async () => {
      await using at = await scene();
      at.workflow.annotate("error", text, text);
      assert.deepEqual(at.output.annotations, [{ level: "error", title: text, message: text }]);
    });
  }

  test("masks every line of a secret, also where it follows", async () => {
    await using at = await scene();
    at.workflow.mask("one\ntwo 2\n\n");
    at.workflow.say("say one and two 2");
    at.workflow.annotate("warning", "it was two 2", "t");
    assert.equal(at.output.lines[0], "say *** and ***");
    assert.equal(at.output.annotations[0]?.message, "it was ***");
  });

  test("folds a text whose commands nobody obeys", async () => {
    await using at = await scene();
    at.workflow.fold("A log", "::error::no\n::endgroup::\n::add-mask::log");
    at.workflow.say("after the log");
    assert.deepEqual(at.output.annotations, []);
    assert.deepEqual(at.output.folds, [
      { title: "A log", lines: ["::error::no", "::endgroup::", "::add-mask::log"] },
    ]);
    assert.equal(at.output.lines.at(-1), "after the log");
  });

  test("says where it belongs when no runner started it", () => {
    const workflow = new Workflow({ env: {}, out: { write: () => {} } });
    assert.throws(() => workflow.setOutput("a", "b"), {
      code: "unavailable",
      message: /GITHUB_OUTPUT is not set/,
    });
  });
});
