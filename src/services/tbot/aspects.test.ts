import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Aspects } from "./aspects.ts";

function setUp() {
  const said: string[] = [];
  const aspects = new Aspects(["certificate", "session"], (state, reason) => {
    said.push(reason === undefined ? state : `${state}: ${reason}`);
  });
  return { said, certificate: aspects.of("certificate"), session: aspects.of("session") };
}

suite("the aspects of a service", () => {
  test("make it healthy once all of them are good", () => {
    const { said, certificate, session } = setUp();
    certificate("healthy");
    assert.deepEqual(said, []);
    session("healthy");
    assert.deepEqual(said, ["healthy"]);
  });

  test("make it unhealthy at once, for the first that is bad, and healthy when none is", () => {
    const { said, certificate, session } = setUp();
    session("unhealthy", "no route");
    certificate("unhealthy", "refused");
    session("healthy");
    certificate("healthy");
    assert.deepEqual(said, [
      "unhealthy: no route",
      "unhealthy: refused",
      "unhealthy: refused",
      "healthy",
    ]);
  });

  test("are passed on only when they change", () => {
    const { said, certificate, session } = setUp();
    for (let round = 0; round < 3; round++) {
      certificate("healthy");
      session("healthy");
    }
    assert.deepEqual(said, ["healthy"]);
  });

  test("tell another reason", () => {
    const { said, session } = setUp();
    session("unhealthy", "no route");
    session("unhealthy", "expired");
    assert.deepEqual(said, ["unhealthy: no route", "unhealthy: expired"]);
  });
});
