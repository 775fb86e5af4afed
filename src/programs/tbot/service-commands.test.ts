import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flagsOf } from "#base/config";
import { serviceTypes } from "#services/tbot";
import { serviceWords } from "./service-commands.ts";

describe("services on the command line", () => {
  for (const [type, { schema }] of Object.entries(serviceTypes))
    it(`${type}: what is a path says so, so that a running bot gets it absolute`, () => {
      const paths = flagsOf(schema).filter(({ name }) => /(^|[-.])path$|^listen$/.test(name));
      for (const { name, shape } of paths) assert.equal(shape.meta.path, true, `--${name}`);
    });

  it("each word names one service", () => {
    const words = serviceWords();
    assert.equal(new Set(words).size, words.length);
    for (const word of ["identity", "ssh", "app-tunnel", "bot-api"])
      assert.ok(words.includes(word));
  });
});
