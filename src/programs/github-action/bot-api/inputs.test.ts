import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Masks, StepOutput } from "#testing/runner/output";
import { Workflow } from "../workflow.ts";
import { readBotApiInputs, type BotApiInputs } from "./inputs.ts";

const PIN = `sha256:${"a".repeat(64)}`;

/** The inputs, and what a log would show of `text` after they were read. */
function read(given: Record<string, string>, text = ""): { inputs: BotApiInputs; shown: string } {
  const output = new StepOutput(new Masks());
  const env = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const workflow = new Workflow({ env, out: { write: (line) => output.feed("out", line) } });
  const inputs = readBotApiInputs(workflow);
  workflow.say(text);
  return { inputs, shown: output.lines.at(-1)! };
}

suite("the inputs of bot-api", () => {
  test("have defaults, and empty ones are not given", () => {
    const { inputs } = read({ proxy: " a:1 ", token: "" });
    assert.deepEqual(inputs, {
      proxy: "a:1",
      storage: "memory://",
      log_level: "info",
      wait_timeout: "60s",
    });
  });

  test("are wrong all at once", () => {
    const given = { listen: "tcp://a:1", "log-level": "loud", "wait-timeout": "5" };
    assert.throws(
      () => read(given),
      (error: Error) => {
        for (const name of Object.keys(given))
          assert.match(error.message, new RegExp(`${name}: must`));
        return true;
      },
    );
  });

  const masked: readonly [
    what: string,
    given: Record<string, string>,
    secret: string,
    hidden: boolean,
  ][] = [
    ["a token of method token", { token: "s3cret", "join-method": "token" }, "s3cret", true],
    ["the name of any other token", { token: "s3cret", "join-method": "github" }, "s3cret", false],
    ["a registration secret", { "registration-secret": "s3cret" }, "s3cret", true],
    [
      "a secret in a join URI",
      { "join-uri": `tbot+proxy+bound-keypair://t:a%2Fb@h:1?ca_pin=${PIN}` },
      "a/b",
      true,
    ],
    [
      "the same as it is written there",
      { "join-uri": `tbot+proxy+bound-keypair://t:a%2Fb@h:1` },
      "a%2Fb",
      true,
    ],
    ["a token in a join URI", { "join-uri": "tbot+proxy+token://s3cret@h:1" }, "s3cret", true],
    ["the path of an ID token", { "join-uri": "tbot+proxy+oidc://t:%2Fa%2Fb@h:1" }, "/a/b", false],
  ];
  for (const [what, given, secret, hidden] of masked)
    test(`${hidden ? "mask" : "do not mask"} ${what}`, () => {
      assert.equal(read(given, `it is ${secret}.`).shown, `it is ${hidden ? "***" : secret}.`);
    });

  test("hold no join URI that cannot be read", () => {
    assert.throws(() => read({ "join-uri": "tbot+proxy+x://t:s3cret@h" }), {
      code: "bad_parameter",
      message: /"x" is not a join method/,
    });
  });
});
